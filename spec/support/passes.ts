/** Passes of the demo model, and the context that an answer receives. */
import { readFile } from "node:fs/promises";
import { nodeHost } from "../../lib/node/host.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import type { Context } from "../../lib/studio/answer.ts";
import { Passes } from "../../lib/studio/passes.ts";
import type { NamedBytes } from "../../lib/studio/results.ts";

/** Loads the demo model; the caller disposes `passes.model`. */
export async function demoPasses(): Promise<Passes> {
  return new Passes(await loadModel(), nodeCodecs(), { naming: nodeHost });
}

/** A sample of the demo model, for example "two-red-circles". */
export async function sampleImage(name: string): Promise<NamedBytes> {
  return { key: `s:${name}`, name, bytes: await readFile(`${demoModel}/samples/${name}.png`) };
}

/** A context that keeps what an answer reports. */
export function recordingContext<Update = never>(
  signal = new AbortController().signal,
): Context<Update> & { readonly done: (readonly [number, number])[]; readonly updates: Update[] } {
  const done: (readonly [number, number])[] = [];
  const updates: Update[] = [];
  return {
    signal,
    done,
    updates,
    progress: (...progress) => done.push(progress),
    update: (part) => updates.push(part),
  };
}
