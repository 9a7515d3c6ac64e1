import assert from "node:assert/strict";
import { SearchableFeatures } from "../../lib/features/search-features.ts";
import { bytesOf, encodeFeatures, encodeHead } from "../../lib/features/features-file.ts";
import { encodeSafetensors } from "../../lib/tensor/safetensors.ts";
import type { ByteSource } from "../../lib/tensor/store.ts";

function sourceOf(parts: readonly Uint8Array[]): ByteSource & { largest: number } {
  const bytes = new Uint8Array(Buffer.concat(parts));
  const source = {
    name: "features",
    size: bytes.length,
    largest: 0,
    read: (offset: number, length: number, reused?: Uint8Array) => {
      source.largest = Math.max(source.largest, length);
      const copy = reused?.subarray(0, length) ?? new Uint8Array(length);
      copy.set(bytes.subarray(offset, offset + length));
      return Promise.resolve(copy);
    },
    close: () => Promise.resolve(),
  };
  return source;
}

function features(rows: readonly (readonly number[])[]): ByteSource & { largest: number } {
  return sourceOf(
    encodeFeatures({
      values: Float32Array.from(rows.flat()),
      rows: rows.length,
      width: rows[0]!.length,
      labels: null,
      classNames: null,
      paths: rows.map((_, i) => `${i}.jpg`),
      metadata: {},
    }),
  );
}

describe("SearchableFeatures", () => {
  it("ranks rows by their cosine similarity, whatever their length; ties keep their order", async () => {
    const file = await SearchableFeatures.open(
      features([
        [1, 0],
        [0, 9],
        [3, 4],
        [0, 2],
        [0, 0],
        [-5, 0],
      ]),
    );
    const matches = await file.search(Float32Array.of(0.6, 0.8), 6);
    assert.deepEqual(
      matches.map(({ path }) => path),
      ["2.jpg", "1.jpg", "3.jpg", "0.jpg", "4.jpg", "5.jpg"],
    );
    assert.deepEqual(
      matches.map(({ similarity }) => Math.round(similarity * 1e6) / 1e6),
      [1, 0.8, 0.8, 0.6, 0, -0.6],
    );
    assert.deepEqual(await file.search(Float32Array.of(0.6, 0.8), 2), matches.slice(0, 2));
    const longer = await file.search(Float32Array.of(6, 8), 6);
    assert.deepEqual(
      longer.map(({ path }) => path),
      matches.map(({ path }) => path),
    );
  });

  it("reads blocks of rows, and finds what a search over all rows finds", async () => {
    const [rows, width, top] = [9000, 256, 25];
    const values = Array.from({ length: rows }, (_, r) =>
      Array.from({ length: width }, (_, i) => Math.sin(r * 12.9898 + i * 78.233 + ((r * i) % 97))),
    );
    const source = features(values);
    const file = await SearchableFeatures.open(source);
    source.largest = 0;
    const query = Float32Array.from({ length: width }, (_, i) => Math.cos(i * 0.37));
    const found = await file.search(query, top);
    const all = values.map((row, index) => {
      const of32 = Float32Array.from(row);
      const dot = of32.reduce((sum, value, i) => sum + value * query[i]!, 0);
      const norm = Math.hypot(...of32) * Math.hypot(...query);
      return { path: `${index}.jpg`, similarity: dot / norm };
    });
    const expected = all.sort((a, b) => b.similarity - a.similarity).slice(0, top);
    assert.deepEqual(
      found.map(({ path }) => path),
      expected.map(({ path }) => path),
    );
    assert.ok(source.largest <= 2 ** 22, `${source.largest}`);
  });

  it("names images whose paths are in a tensor", async () => {
    const values = Float32Array.of(1, 0, 0, 1);
    const labels = { labels: null, classNames: null, paths: ["a.png", "b.png"] };
    const head = encodeHead(2, 2, labels, {}, 0);
    const file = await SearchableFeatures.open(sourceOf([...head, bytesOf(values)]));
    assert.deepEqual(await file.search(Float32Array.of(0, 1), 1), [{ path: "b.png", similarity: 1 }]);
  });

  it("refuses files without paths, other widths, and numbers that are not finite", async () => {
    const open = (metadata: Record<string, string>, shape = [1, 2]): Promise<SearchableFeatures> => {
      const bytes = new Uint8Array(4 * shape.reduce((product, size) => product * size, 1));
      const tensor = { name: "features", dtype: "F32" as const, shape, bytes };
      return SearchableFeatures.open(sourceOf([encodeSafetensors([tensor], metadata)]));
    };
    await assert.rejects(open({}), /^InputError: features: expected the paths of the images, found none/);
    await assert.rejects(open({ paths: '["a","b"]' }), /2 paths in the metadata for 1 rows/);
    await assert.rejects(
      open({ paths: "[]" }, [2]),
      /expected features of shape \[rows, width\], found \[2\]/,
    );
    const file = await open({ paths: '["a"]' });
    await assert.rejects(file.search(new Float32Array(3), 1), /expected features of 3 numbers.* found 2/);
    for (const query of [Float32Array.of(0, 0), Float32Array.of(1, NaN)]) {
      await assert.rejects(file.search(query, 1), /expected a query of finite numbers that are not all 0/);
    }
    const damaged = await SearchableFeatures.open(
      features([
        [1, 0],
        [NaN, 0],
      ]),
    );
    await assert.rejects(
      damaged.search(Float32Array.of(1, 0), 1),
      /row 1 of the features holds NaN, expected finite numbers/,
    );
  });

  it("ranks rows that it keeps as those that it reads, and gives single rows", async () => {
    const rows = Array.from({ length: 50 }, (_, i) =>
      Array.from({ length: 7 }, (__, j) => Math.sin(i * 7 + j)),
    );
    const [kept, read] = await Promise.all([
      SearchableFeatures.open(features(rows)),
      SearchableFeatures.open(features(rows)),
    ]);
    assert.equal(await kept.keep(50 * 7 * 4), true);
    assert.equal(await read.keep(50 * 7 * 4 - 1), false);
    const query = await read.row(31);
    assert.deepEqual(query, Float32Array.from(rows[31]!));
    assert.deepEqual(await kept.row(31), query);
    assert.deepEqual(await kept.rank(query, 5), await read.rank(query, 5));
    assert.equal((await kept.rank(query, 1))[0]!.index, 31);
    await assert.rejects(read.row(50), /features: row 50: expected 0 to 49/);
  });
});
