/**
 * Run as a child process with an index into `nodeBackends`: starts that backend and prints one JSON document,
 * `Tried`. In a child because a backend takes memory, stays for good, and a library that is wrong for this
 * processor ends the process that opens it.
 */
import { performance } from "node:perf_hooks";

import { InputError } from "../../errors/input-error.ts";
import { nodeBackends } from "./backends.ts";

export type Tried =
  | {
      readonly runs: true;
      readonly description: string;
      /** Time to load and start it, in ms, without Node's own start. */
      readonly startMs: number;
      /** The process's memory after the start, in bytes. */
      readonly rss: number;
    }
  | { readonly runs: false; readonly reason: string };

async function tryBackend(index: number): Promise<Tried> {
  const loader = nodeBackends[index];
  if (loader === undefined) throw new Error(`usage: node try-backend.js 0…${nodeBackends.length - 1}`);
  const start = performance.now();
  try {
    const { description } = await loader.load();
    const startMs = Math.round(performance.now() - start);
    return { runs: true, description, startMs, rss: process.memoryUsage().rss };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { runs: false, reason: error.message };
  }
}

console.log(JSON.stringify(await tryBackend(Number(process.argv[2]))));
