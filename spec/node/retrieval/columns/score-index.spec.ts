/** Columns against queries, against softmax in float64, and against what a second run writes. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compactIndex } from "../../../../lib/node/retrieval/compact-index.ts";
import { deleteRows } from "../../../../lib/node/retrieval/delete-rows.ts";
import { openIndex, type OpenedIndex } from "../../../../lib/node/retrieval/open-index.ts";
import { readIndexFile } from "../../../../lib/node/retrieval/read-index-file.ts";
import type { Found } from "../../../../lib/retrieval/result-text.ts";
import { Probe } from "../../../../lib/probe/probe.ts";
import { fixture } from "../../../support/paths.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { normalised, randomNumbers, writeVectorIndex } from "../../../support/vector-index.ts";

const [rows, width] = [25, 16];

async function listed(results: AsyncIterable<Found>): Promise<Found[]> {
  const found: Found[] = [];
  for await (const result of results) found.push(result);
  return found;
}

describe("OpenedIndex.score", () => {
  const folder = temporaryFolder();
  let path: string;
  let vector: Float32Array;

  beforeEach(async () => {
    path = folder.file("index");
    rmSync(path, { recursive: true, force: true });
    const { normal } = randomNumbers(3);
    const values = normalised(
      Float32Array.from({ length: rows * width }, () => 0.5 + normal()),
      width,
    );
    await writeVectorIndex(path, values, width, 10);
    vector = normalised(Float32Array.from({ length: width }, normal), width);
  });

  async function withIndex<T>(use: (index: OpenedIndex) => Promise<T>): Promise<T> {
    const index = await openIndex(path);
    try {
      return await use(index);
    } finally {
      await index.close();
    }
  }

  const ids = Array.from({ length: rows }, (_, id) => id);

  function numbers(index: OpenedIndex, name: string): Promise<number[]> {
    return index.readColumn(name).then((column) => {
      assert.ok(column.type === "number");
      return [...column.values];
    });
  }

  it("gives exactly the similarities of a query, which conditions and results have", async () => {
    const terms = [{ vector }, { id: 4, weight: -0.5 }];
    const report = await withIndex((index) => index.score("near", { terms }));
    assert.deepEqual(report, { name: "near", columns: ["near"], computed: 3, kept: 0, rows });
    await withIndex(async (index) => {
      const found = await listed(index.query(terms, { top: rows }));
      const near = await numbers(index, "near");
      for (const { id, similarity, metadata } of found) {
        assert.equal(near[id], similarity);
        assert.equal(metadata["near"], similarity);
      }
      const bound = found[7]!.similarity;
      const some = await listed(index.query([{ id: 0 }], { where: `near >= ${bound}`, top: rows }));
      assert.deepEqual(new Set(some.map(({ id }) => id)), new Set(found.slice(0, 8).map(({ id }) => id)));
    });
  });

  it("gives the probabilities of a probe's classes, and the best class", async () => {
    const { normal } = randomNumbers(5);
    const weight = Float32Array.from({ length: 3 * width }, () => 4 * normal());
    const bias = Float32Array.of(0.5, 0, -0.5);
    const probe = new Probe({
      ...{ name: "p", weight, bias, classNames: ["cat", "dog", "big bird"] },
      metadata: { normalized: "true" },
    });
    await withIndex((index) => index.score("kind", { probe }));
    await withIndex((index) => index.score("best", { probe }, { onlyBest: true }));
    await withIndex(async (index) => {
      const metadata = await index.readMetadata(ids);
      const stored = await index.readRows(ids);
      for (const id of ids) {
        const logits = probe.classNames.map((_, c) => {
          let sum = bias[c]!;
          for (let i = 0; i < width; i++) sum += weight[c * width + i]! * stored[id * width + i]!;
          return sum;
        });
        const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
        const expected = logits.map((logit) => Math.exp(logit) / total);
        for (const [c, name] of probe.classNames.entries())
          assert.ok(Math.abs(Number(metadata[id]![`kind.${name}`]) - expected[c]!) < 1e-6);
        const best = expected.indexOf(Math.max(...expected));
        assert.equal(metadata[id]!["kind"], probe.classNames[best]);
        assert.equal(metadata[id]!["best"], probe.classNames[best]);
        assert.equal(metadata[id]!["best.probability"], metadata[id]![`kind.${probe.classNames[best]!}`]);
      }
      const names = index.columns.map(({ name }) => name).slice(2);
      const kind = ["kind", "kind.cat", "kind.dog", "kind.big bird"];
      assert.deepEqual(names, [...kind, "best", "best.probability"]);
      const found = await listed(index.query([{ id: 0 }], { where: `"kind.big bird" > 0.5`, top: rows }));
      const matching = metadata.filter((row) => Number(row["kind.big bird"]) > 0.5);
      assert.equal(found.length, matching.length);
      assert.ok(found.length > 0);
    });
  });

  function filesOf(name: string): Map<string, string> {
    const set = readdirSync(join(path, "columns")).find((found) => found.startsWith(`${name}-`))!;
    const at = join(path, "columns", set, "metadata");
    return new Map(readdirSync(at).map((file) => [file, readFileSync(join(at, file)).toString("hex")]));
  }

  it("continues after an interruption, and writes the same bytes", async () => {
    await withIndex((index) => index.score("near", { terms: [{ vector }] }));
    const whole = filesOf("near");
    const [set] = readdirSync(join(path, "columns"));
    // As a kill before the second partition was committed leaves it.
    rmSync(join(path, "columns", set!, "stats", "000001.json"));
    rmSync(join(path, "columns", set!, "metadata", "metadata_000001.parquet"));
    const again = await withIndex((index) => index.score("near", { terms: [{ vector }] }));
    assert.deepEqual([again.computed, again.kept], [1, 2]);
    assert.deepEqual(filesOf("near"), whole);
    rmSync(join(path, "columns"), { recursive: true });
    await withIndex((index) => index.score("near", { terms: [{ vector }] }));
    assert.deepEqual(filesOf("near"), whole);
  });

  it("shows the old columns until the new ones are complete", async () => {
    await withIndex((index) => index.score("near", { terms: [{ vector }] }));
    const before = await withIndex((index) => numbers(index, "near"));
    const stop = new Error("stop");
    const stopping = withIndex((index) =>
      index.score(
        "near",
        { terms: [{ id: 2 }] },
        {
          onProgress: (done) => {
            if (done > 15) throw stop;
          },
        },
      ),
    );
    await assert.rejects(stopping, stop);
    assert.deepEqual(await withIndex((index) => numbers(index, "near")), before);
    const { computed, kept } = await withIndex((index) => index.score("near", { terms: [{ id: 2 }] }));
    assert.deepEqual([computed, kept], [2, 1]);
    const after = await withIndex((index) => numbers(index, "near"));
    assert.ok(after[2]! > 0.99);
    // The old set is gone.
    assert.equal(readdirSync(join(path, "columns")).length, 1);
  });

  it("stays with the rows that a compaction keeps", async () => {
    await withIndex((index) => index.score("near", { terms: [{ vector }] }));
    const values = await withIndex((index) => numbers(index, "near"));
    await deleteRows(path, () => Promise.resolve([3, 24]));
    assert.equal((await compactIndex(path, 12)).generation, 1);
    const left = values.filter((_, id) => id !== 3 && id !== 24);
    assert.deepEqual(await withIndex((index) => numbers(index, "near")), left);
    // The next run has nothing to do.
    const report = await withIndex((index) => index.score("near", { terms: [{ vector }] }));
    assert.deepEqual([report.computed, report.kept], [0, 3]);
    const file = await readIndexFile(path);
    assert.deepEqual(
      file.columnSets.map((set) => set.partitions),
      [file.partitions.map(({ number }) => number)],
    );
  });

  it("refuses names that are taken or cannot be written in a condition, and folders of others", async () => {
    const terms = [{ vector }];
    for (const [name, message] of [
      ["bytes", /has a column bytes already/],
      ["a b", /expected a name of at most 60 letters/],
      ["Like", /Like is a word of conditions/],
      ["../x", /expected a name/],
    ] as const)
      await assert.rejects(
        withIndex((index) => index.score(name, { terms })),
        { name: "InputError", message },
      );
    await withIndex((index) => index.score("kind", { terms }));
    const probe = new Probe({
      ...{ name: "p", weight: new Float32Array(2 * width), bias: new Float32Array(2) },
      ...{ classNames: ["a", "a"], metadata: {} },
    });
    await assert.rejects(
      withIndex((index) => index.score("other", { probe })),
      { message: /two classes are called "a"/ },
    );
    await assert.rejects(
      withIndex((index) => index.score("other", { captions: true })),
      { message: /build the index with --captions/ },
    );
    path = folder.file("theirs");
    cpSync(fixture("retrieval/clip-retrieval"), path, { recursive: true });
    await assert.rejects(
      withIndex((index) => index.score("near", { terms: [{ id: 0 }] })),
      { message: /folder of clip-retrieval.*adopt it with/ },
    );
    assert.ok(!readdirSync(path).includes("columns"));
  });
});
