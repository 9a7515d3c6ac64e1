import assert from "node:assert/strict";
import { bytesOf, encodeFeatures, encodeHead } from "../../lib/features/features-file.ts";
import { decodeFeatures } from "../../lib/features/read-features.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { MemorySource } from "../support/memory-source.ts";

const values = Float32Array.of(1, 2, 3, 4, 5, 6);
const paths = ["a.png", 'ein Ordner/größe "1".png', "猫\n.png"];
const labels = [0, 2 ** 40, 7];

function whole(parts: readonly Uint8Array[]): MemorySource {
  return new MemorySource(Buffer.concat(parts));
}

/** A file that stores paths of more than `most` bytes as a tensor. */
function separate(most: number, given: readonly string[] = paths): Uint8Array[] {
  const head = encodeHead(
    3,
    2,
    { labels, classNames: null, paths: given },
    { model: "m", paths: "stale" },
    most,
  );
  return [...head, bytesOf(values)];
}

describe("features files", () => {
  it("keep paths in the metadata, as JSON", async () => {
    const source = whole(
      encodeFeatures({ values, rows: 3, width: 2, labels, classNames: null, paths, metadata: {} }),
    );
    assert.deepEqual(JSON.parse((await SafetensorsFile.open(source)).metadata["paths"]!), paths);
    const decoded = await decodeFeatures(source);
    assert.deepEqual([decoded.paths, decoded.labels, decoded.values], [paths, labels, values]);
  });

  it("keep paths that are too large for the header in a tensor", async () => {
    const source = whole(separate(10));
    const { metadata, tensors } = await SafetensorsFile.open(source);
    assert.deepEqual(metadata, { model: "m" });
    const { dtype, size } = tensors.get("paths")!;
    assert.deepEqual([dtype, size % 8, tensors.get("features")!.offset % 8], ["U8", 0, 0]);
    const decoded = await decodeFeatures(source);
    assert.deepEqual([decoded.paths, decoded.labels, decoded.values], [paths, labels, values]);
  });

  it("keep more paths than are written at once", async () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `${"猫".repeat(i % 7)}${i}.png`);
    const rows = { values: new Float32Array(many.length), rows: many.length, width: 1 };
    const head = encodeHead(many.length, 1, { labels: null, classNames: null, paths: many }, {}, 0);
    const decoded = await decodeFeatures(whole([...head, bytesOf(rows.values)]));
    assert.deepEqual(decoded.paths, many);
  });

  it("count the bytes of paths as the header has them: escaped twice", async () => {
    // "\"a\"," in JSON, in JSON: \"a\", takes 6 bytes a path.
    const short = ["a", "a", "a"];
    assert.ok((await SafetensorsFile.open(whole(separate(18, short)))).metadata["paths"]);
    assert.equal((await SafetensorsFile.open(whole(separate(17, short)))).metadata["paths"], undefined);
  });

  it("with too few or too many paths are refused", async () => {
    const more = encodeHead(4, 2, { labels: null, classNames: null, paths: [...paths, "d"] }, {}, 0);
    const file = await SafetensorsFile.open(whole([...more, new Uint8Array(32)]));
    const text = await file.read("paths");
    const [header] = encodeHead(3, 2, { labels, classNames: null, paths: [...paths, "d"] }, {}, 0);
    const swapped = [header!, bytesOf(BigInt64Array.from(labels, BigInt)), text, bytesOf(values)];
    await assert.rejects(decodeFeatures(whole(swapped)), /more paths than the 3 rows of features/);
    const fewer = encodeHead(3, 2, { labels, classNames: null, paths: ["a"] }, {}, 0);
    await assert.rejects(
      decodeFeatures(whole([...fewer, bytesOf(values)])),
      /1 paths .* for 3 rows of features/,
    );
  });

  it("do not hold paths with zero bytes outside of JSON", () => {
    assert.throws(
      () => separate(0, ["a", "b\0", "c"]),
      /the path of row 1 is "b\\u0000", expected a text without zero/,
    );
  });

  it("refuse labels that are not whole numbers", () => {
    assert.throws(
      () => [...encodeHead(2, 1, { labels: [0, 0.5], classNames: null, paths: null }, {})],
      /the label of row 1 is 0\.5, expected a whole number from 0 to 2\^53 − 1/,
    );
  });
});
