import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FileSource } from "../../../../lib/node/files/file-source.ts";
import { openIndex, type OpenedIndex } from "../../../../lib/node/retrieval/open-index.ts";
import { SafetensorsFile } from "../../../../lib/tensor/safetensors.ts";
import { readFloat32 } from "../../../../lib/tensor/store.ts";
import { fixture } from "../../../support/paths.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { writeVectorIndex } from "../../../support/vector-index.ts";

const width = 24;

describe("OpenedIndex.cluster", () => {
  const folder = temporaryFolder();
  let path: string;
  /** The mean similarity that scikit-learn reaches. */
  let theirs: number;

  beforeEach(async () => {
    path = folder.file("index");
    rmSync(path, { recursive: true, force: true });
    const file = await SafetensorsFile.open(await FileSource.open(fixture("retrieval/k-means.safetensors")));
    await writeVectorIndex(path, await readFloat32(file, "rows"), width, 150);
    theirs = Number(file.metadata["sklearn"]);
    await file.close();
  });

  async function withIndex<T>(use: (index: OpenedIndex) => Promise<T>): Promise<T> {
    const index = await openIndex(path);
    try {
      return await use(index);
    } finally {
      await index.close();
    }
  }

  it("reaches the mean similarity of scikit-learn's k-means", async () => {
    const found = await withIndex(async (index) => {
      const runs: number[] = [];
      for (let seed = 0; seed < 10; seed++) runs.push((await index.cluster(9, { seed })).similarity);
      return runs;
    });
    assert.ok(Math.max(...found) > theirs - 1e-4, `${Math.max(...found)}, scikit-learn ${theirs}`);
    assert.ok(Math.min(...found) > theirs - 0.05, `${Math.min(...found)}, scikit-learn ${theirs}`);
  });

  it("writes columns that agree with the report and with the centroids", async () => {
    const report = await withIndex((index) => index.cluster(9, { as: "c", seed: 3, representatives: 4 }));
    const sizes = report.clusters.map(({ rows }) => rows);
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    );
    assert.equal(
      sizes.reduce((sum, rows) => sum + rows, 0),
      400,
    );
    await withIndex(async (index) => {
      const ids = Array.from({ length: 400 }, (_, id) => id);
      const metadata = await index.readMetadata(ids);
      const vectors = await index.readRows(ids);
      const similarity = (id: number, c: number): number => {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += vectors[id * width + i]! * report.centroids[c * width + i]!;
        return sum;
      };
      for (const id of ids) {
        const products = sizes.map((_, c) => similarity(id, c));
        const cluster = products.indexOf(Math.max(...products));
        assert.equal(metadata[id]!["c"], cluster);
        assert.ok(Math.abs(Number(metadata[id]!["c.similarity"]) - products[cluster]!) < 1e-6);
      }
      for (const { number, rows, representatives } of report.clusters) {
        const own = ids.filter((id) => metadata[id]!["c"] === number);
        assert.equal(own.length, rows);
        const best = own.sort((a, b) => similarity(b, number) - similarity(a, number) || a - b);
        assert.deepEqual(
          representatives.map(({ id }) => id),
          best.slice(0, 4),
        );
      }
      const set = readdirSync(join(path, "columns"))[0]!;
      const npy = readFileSync(join(path, "columns", set, "centroids.npy"));
      assert.ok(npy.subarray(-report.centroids.byteLength).equals(new Uint8Array(report.centroids.buffer)));
    });
    // The journal of the rounds is gone.
    assert.ok(!readdirSync(path).includes("clusters"));
  });

  it("continues after an interruption to the same bytes", async () => {
    const whole = await withIndex((index) => index.cluster(9, { as: "c", seed: 5 }));
    assert.ok(whole.rounds > 4);
    const files = (): string[] => {
      const at = join(path, "columns", readdirSync(join(path, "columns"))[0]!, "metadata");
      return readdirSync(at).map((name) => readFileSync(join(at, name)).toString("hex"));
    };
    const expected = files();
    rmSync(join(path, "columns"), { recursive: true });
    const stop = new Error("stop");
    let rounds = 0;
    const onProgress = (done: number): void => {
      if (done > 3 * 400) throw stop;
    };
    await assert.rejects(
      withIndex((index) => index.cluster(9, { as: "c", seed: 5, onProgress })),
      stop,
    );
    const counting = (done: number): void => {
      if (rounds === 0) rounds = Math.ceil(done / 400);
    };
    const again = await withIndex((index) => index.cluster(9, { as: "c", seed: 5, onProgress: counting }));
    assert.equal(rounds, 4);
    assert.deepEqual(again, whole);
    assert.deepEqual(files(), expected);
  });

  it("leaves out rows that do not fulfil the condition, and refuses what does not fit", async () => {
    const report = await withIndex((index) => index.cluster(3, { as: "c", where: "bytes < 100" }));
    assert.equal(report.rows, 100);
    await withIndex(async (index) => {
      const [inside, outside] = await index.readMetadata([99, 100]);
      assert.equal(typeof inside!["c"], "number");
      assert.equal(outside!["c"], null);
      for (const [clusters, message] of [
        [0, /clusters: expected a whole number from 1 on, found 0/],
        [401, /expected at most 400 clusters, one for each row, found 401/],
      ] as const)
        await assert.rejects(index.cluster(clusters), { name: "InputError", message });
      await assert.rejects(index.cluster(2, { labels: ["a"] }), { message: /labels need a model/ });
    });
  });
});
