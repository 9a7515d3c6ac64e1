/** What an intervention changes: the answer, and each value after it. */
import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import { compare } from "../tensor/compare.ts";
import { TapGlobs } from "../tensor/tap-globs.ts";
import { readTap, withTaps, type Patch } from "../tensor/taps.ts";
import { interventions, type Intervention } from "./intervene.ts";

/** How much a value changed. */
export interface TapChange {
  readonly tap: string;
  /** ‖changed − unchanged‖ / ‖unchanged‖; Infinity if the unchanged value is 0 and the other is not. */
  readonly relativeL2: number;
  /** Of the two values as vectors. */
  readonly cosine: number;
}

/** The result of `effectOf`. */
export interface Effect {
  /** What `run` returned, without and with the interventions. [B, D], row by row */
  readonly before: Float32Array;
  readonly after: Float32Array;
  /** In the order of the pass. Values that did not change are left out. */
  readonly changes: readonly TapChange[];
}

/**
 * Runs a pass without and with interventions, and compares the results and the taps.
 *
 * @param run starts the passes and returns a tensor, which is disposed: embeddings, or a classifier's logits
 * @param taps globs of the taps that are compared; the values of the first pass are kept in memory. Default: all outputs
 *   of modules
 * @throws InputError for a tap that the passes do not have, and as the passes and `interventions`
 */
export async function effectOf(
  run: () => Promise<Tensor2D>,
  list: readonly Intervention[],
  taps: readonly string[] = [],
): Promise<Effect> {
  const globs = new TapGlobs(taps);
  const unchanged = new Map<string, Float32Array>();
  const changes = new Map<string, TapChange | null>(); // in the order of the pass
  const before = await read(run, async (name, value) => {
    if (globs.matches(name)) unchanged.set(name, Float32Array.from(await readTap(value)));
  });
  const seen = new Set<string>();
  const after = await read(
    run,
    async (name, value) => {
      seen.add(name);
      const reference = unchanged.get(name);
      if (reference === undefined) return;
      changes.set(name, null);
      const { relativeL2, cosine, maxAbs } = compare(await readTap(value), reference);
      if (maxAbs !== 0) changes.set(name, { tap: name, relativeL2, cosine });
    },
    interventions(list),
  );
  const unknown = list.find(({ tap }) => !seen.has(tap));
  if (unknown) throw new InputError(`no tap "${unknown.tap}" to intervene at; expected one of`, [...seen]);
  return { before, after, changes: [...changes.values()].filter((change) => change !== null) };
}

async function read(
  run: () => Promise<Tensor2D>,
  sink: (name: string, value: Tensor) => Promise<void>,
  patch?: Patch,
): Promise<Float32Array> {
  const output = await withTaps(sink, run, patch);
  try {
    return Float32Array.from(await output.data<"float32">());
  } finally {
    output.dispose();
  }
}
