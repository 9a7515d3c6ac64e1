import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { packageRoot } from "../../support/paths.ts";

/** Reserves the heap of wasm, whose pages the system only provides when they are written. */
const script = `
  import * as tf from "@tensorflow/tfjs-core";
  import { wasmLoader } from "${pathToFileURL(join(packageRoot, "dist/lib/node/backends/backends.js")).href}";
  await wasmLoader.load();
  await wasmLoader.load(); // guards once
  const kept = tf.tensor1d([1, 2, 3]);
  const results = [];
  const { wasm } = tf.backend();
  const reserve = (bytes) => {
    try {
      for (let i = 0; i < 9; i++) wasm._malloc(bytes);
      results.push("no error");
    } catch ({ name, message }) {
      results.push(name + ": " + message);
    }
  };
  reserve(2 ** 32 + 16);
  reserve(2 ** 29);
  reserve(2 ** 24);
  const before = tf.memory().numTensors;
  try {
    tf.zeros([2 ** 28]);
    results.push("no error");
  } catch ({ name }) {
    results.push(name);
  }
  results.push(tf.memory().numTensors - before, [...kept.dataSync()], [...tf.add(kept, 1).dataSync()]);
  console.log(JSON.stringify(results));`;

describe("the memory of the wasm backend", () => {
  for (const threads of ["1", "2"]) {
    it(`that is full gives an error, and tensors keep their numbers, with CLIPSCOPE_THREADS=${threads}`, () => {
      const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
        cwd: packageRoot,
        env: { ...process.env, CLIPSCOPE_THREADS: threads },
        encoding: "utf8",
      });
      const full = (bytes: number): string =>
        `InputError: the memory of the wasm backend (4 GB) is full: ${bytes} more bytes do not fit; use a smaller ` +
        "batch size, dispose tensors, stream the weights, or choose the backend tensorflow";
      assert.equal(stderr, "");
      const [wrapped, large, , zeros, tensors, kept, sum] = JSON.parse(stdout) as unknown[];
      assert.deepEqual([wrapped, large, zeros], [full(2 ** 32 + 16), full(2 ** 29), "InputError"]);
      assert.deepEqual([tensors, kept, sum], [0, [1, 2, 3], [2, 3, 4]]);
    });
  }
});
