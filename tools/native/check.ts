/**
 * Runs as a child process on a build's folder: opens the build and multiplies two matrices on TensorFlow and on WASM.
 * It is a child process because a library for another processor crashes the process that opens it.
 *
 * Prints one JSON document, `Checked`.
 */
import { performance } from "node:perf_hooks";

import * as tf from "@tensorflow/tfjs-core";

import { loadNativeBuild } from "../../lib/node/native/native-backend.ts";
import { prepareTensorflow, wasmLoader } from "../../lib/node/backends/backends.ts";
import { linear } from "../../lib/nn/operations/linear.ts";
import { activateBackend } from "../../lib/tensor/backend.ts";

export interface Checked {
  readonly tensorflow: string;
  /** Whether TensorFlow found a GPU. Without one, a build for GPUs runs on the CPU. */
  readonly onGpu: boolean;
  /** ‖tensorflow − wasm‖ / ‖wasm‖ of the product. */
  readonly relativeL2: number;
  /** Speed of a product of two 1024 × 1024 matrices, in GFLOP/s; a multiply-add is two operations. */
  readonly gflops: number;
  readonly wasmGflops: number;
}

const size = 1024;

/** Numbers in [−1, 1), the same every time. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

async function product(repeats: number): Promise<{ values: Float32Array; gflops: number }> {
  const a = tf.tensor2d(numbers(size * size, 1), [size, size]);
  const b = tf.tensor2d(numbers(size * size, 2), [size, size]);
  let best = Infinity;
  let values: Float32Array = new Float32Array();
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    const start = performance.now();
    const c = linear(a, b);
    values = await c.data<"float32">();
    best = Math.min(best, performance.now() - start);
    c.dispose();
  }
  tf.dispose([a, b]);
  return { values, gflops: (2 * size ** 3) / best / 1e6 };
}

async function check(folder: string): Promise<Checked> {
  prepareTensorflow();
  const binding = loadNativeBuild(folder);
  await activateBackend("tensorflow");
  const native = await product(5);
  await wasmLoader.load();
  const wasm = await product(2);
  let error = 0;
  let norm = 0;
  for (const [index, value] of wasm.values.entries()) {
    error += ((native.values[index] ?? NaN) - value) ** 2;
    norm += value ** 2;
  }
  return {
    tensorflow: binding.TF_Version,
    onGpu: binding.isUsingGpuDevice(),
    relativeL2: Math.sqrt(error / norm),
    gflops: native.gflops,
    wasmGflops: wasm.gflops,
  };
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node check.js FOLDER");
try {
  console.log(JSON.stringify(await check(folder)));
} catch (error) {
  // The parent process adds what to do. It only needs the reason, which is the dynamic linker's message.
  const { message, cause } = error as Error;
  console.error(cause instanceof Error ? cause.message : message);
  process.exitCode = 1;
}
