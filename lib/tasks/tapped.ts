/** A forward pass that gives several taps, with one vector for each input. */
import { clone, keep, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { l2Normalize } from "../clip/normalize.ts";
import { InputError } from "../errors/input-error.ts";
import { withTaps } from "../tensor/taps.ts";

/** How one vector per token becomes one vector per input: the token that the tower reads out, or the mean. */
export type Pooling = "class" | "mean";
export const poolings: readonly Pooling[] = ["class", "mean"];

export interface TappedPass {
  /** Names of taps, each once. */
  readonly taps: readonly string[];
  /** The tap of the embedding, which the pass itself returns. */
  readonly embedding: string;
  readonly normalize: boolean;
  /** Reduces a tap's value to [B, D]. */
  readonly vectorOf: (name: string, value: Tensor) => Tensor2D;
  readonly run: (options: { readonly normalize: boolean }) => Promise<Tensor2D>;
}

/**
 * Runs the pass once.
 *
 * @returns [B, D] of each tap, in their order; the caller disposes them
 * @throws InputError for an unknown tap; its details list the known ones
 */
export async function runTapped({
  taps,
  embedding,
  normalize,
  vectorOf,
  run,
}: TappedPass): Promise<Tensor2D[]> {
  const taken = new Map<string, Tensor2D>();
  const names: string[] = [];
  const inner = taps.some((tap) => tap !== embedding);
  try {
    const output = await (inner ? withTaps(take, () => run({ normalize })) : run({ normalize }));
    taken.set(embedding, output);
    const missing = taps.find((tap) => !taken.has(tap));
    if (missing !== undefined) throw new InputError(`no tap "${missing}"; choose one of these`, names);
    const features = taps.map((tap) => taken.get(tap)!);
    if (!taps.includes(embedding)) output.dispose();
    return features;
  } catch (error) {
    for (const value of taken.values()) value.dispose();
    throw error;
  }

  function take(name: string, value: Tensor): void {
    names.push(name);
    if (name === embedding || !taps.includes(name)) return;
    const vectors = vectorOf(name, value);
    taken.set(name, keep(normalize ? l2Normalize(vectors) : clone(vectors)));
  }
}
