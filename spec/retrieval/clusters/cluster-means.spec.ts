/** Rounds of spherical k-means against NumPy in float64; see tools/golden/spherical_k_means.py. */
import assert from "node:assert/strict";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import { ClusterMeans } from "../../../lib/retrieval/clusters/cluster-means.ts";
import { NearestCentroids } from "../../../lib/retrieval/clusters/nearest-centroids.ts";
import { wasmKernel } from "../../../lib/retrieval/scan/wasm-kernel.ts";
import { SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { readFloat32, readIntegers } from "../../../lib/tensor/store.ts";
import { fixture } from "../../support/paths.ts";

const never = (): Promise<Float32Array> => Promise.reject(new Error("no cluster is empty"));

describe("ClusterMeans", () => {
  it("assigns and moves as NumPy does, round by round", async () => {
    const file = await SafetensorsFile.open(await FileSource.open(fixture("retrieval/k-means.safetensors")));
    const width = 24;
    const rows = await readFloat32(file, "rows");
    const labels = await readIntegers(file, "labels");
    const bytes = await file.read("objectives");
    const objectives = new Float64Array(bytes.slice().buffer);
    let centroids = await readFloat32(file, "initial");
    const count = rows.length / width;
    for (const [round, objective] of objectives.entries()) {
      const found = new NearestCentroids(wasmKernel, centroids, width).find(rows);
      assert.deepEqual(
        found.map(({ cluster }) => cluster),
        labels.slice(round * count, (round + 1) * count),
      );
      const means = new ClusterMeans(9, width);
      for (const [row, nearest] of found.entries())
        means.add(row, rows.subarray(row * width, (row + 1) * width), nearest);
      assert.ok(Math.abs(means.objective - objective) < 1e-12);
      centroids = await means.centroids(never);
    }
    const expected = await readFloat32(file, "centroids");
    for (const [i, value] of centroids.entries()) assert.ok(Math.abs(value - expected[i]!) < 1e-7);
    await file.close();
  });

  it("gives clusters without rows, or whose rows cancel out, the rows that are farthest from their centroids", async () => {
    const means = new ClusterMeans(3, 2);
    means.add(5, Float32Array.of(1, 0), { cluster: 0, similarity: 0.9 });
    means.add(6, Float32Array.of(0, 1), { cluster: 0, similarity: 0.2 });
    means.add(7, Float32Array.of(0.6, 0.8), { cluster: 1, similarity: 0.5 });
    means.add(8, Float32Array.of(-0.6, -0.8), { cluster: 1, similarity: 0.3 });
    const asked: number[] = [];
    const centroids = await means.centroids((id) => {
      asked.push(id);
      return Promise.resolve(Float32Array.of(0, id));
    });
    assert.deepEqual(asked, [6, 8]);
    assert.deepEqual([...centroids.slice(2)], [0, 1, 0, 1]);
    assert.ok(Math.abs(centroids[0]! - Math.SQRT1_2) < 1e-7);
    assert.deepEqual([...means.counts], [2, 2, 0]);
  });
});
