/**
 * A program that starts a backend, given its index in `nodeBackends`, and prints `Tried` as JSON. It runs as a child
 * process, because a backend stays in memory, and loading a library for another processor can crash the process.
 */
import { performance } from "node:perf_hooks";

import { InputError } from "../../errors/input-error.ts";
import { currentWeightPacker, type ReducedPrecision } from "../../tensor/precision.ts";
import { listAdapters, type Adapter } from "../../webgpu/index.ts";
import { nodeBackends } from "./backends.ts";
import { nodeGpu } from "./webgpu.ts";

export type Tried =
  | {
      readonly runs: true;
      readonly description: string;
      /** Milliseconds to load and start it, without the start of Node. */
      readonly startMs: number;
      /** The memory of the process after the start, in bytes. */
      readonly rss: number;
      /** How it computes products in reduced precision; null if it does not. */
      readonly precisions: Readonly<Record<ReducedPrecision, string>> | null;
      /** The GPUs that webgpu can use; null for another backend. */
      readonly adapters: readonly Adapter[] | null;
    }
  | { readonly runs: false; readonly reason: string };

async function tryBackend(index: number): Promise<Tried> {
  const loader = nodeBackends[index];
  if (loader === undefined) throw new Error(`usage: node try-backend.js 0…${nodeBackends.length - 1}`);
  const start = performance.now();
  try {
    const { description } = await loader.load();
    const startMs = Math.round(performance.now() - start);
    return {
      runs: true,
      description,
      startMs,
      rss: process.memoryUsage().rss,
      precisions: reducedPrecisions(),
      adapters: loader.name === "webgpu" ? await listAdapters(await nodeGpu()) : null,
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { runs: false, reason: error.message };
  }
}

function reducedPrecisions(): Readonly<Record<ReducedPrecision, string>> | null {
  const packer = currentWeightPacker();
  return packer ? { bf16: packer.describe("bf16"), int8: packer.describe("int8") } : null;
}

console.log(JSON.stringify(await tryBackend(Number(process.argv[2]))));
