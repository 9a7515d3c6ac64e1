/** The residual stream of a kept pass: norms, what blocks add, and how tokens and states are related. */
import {
  blockSteps,
  stateCosines,
  tokenCosines,
  tokenNorms,
  type BlockStep,
  type ResidualStream,
} from "../../study/stream.ts";
import type { Answer } from "../answer.ts";
import type { Passes } from "../passes.ts";
import { placesOf, shapeOf, statesOf } from "../stream-places.ts";

/** Of an image's or a text's pass. */
export interface StreamParams {
  readonly trace: string;
}

/** What is known of all states of a stream. State 0 is what block 0 takes, state i the output of block i − 1. */
export interface StreamSummary {
  /** [states][L] */
  readonly norms: readonly Float64Array[];
  /** One a block; empty for a post-norm tower, whose norms leave no sums to compare. */
  readonly steps: readonly BlockStep[];
}

export const stream: Answer<StreamParams, StreamSummary> = async (passes, { trace }) => {
  const read = await readStream(passes, trace);
  return { norms: tokenNorms(read), steps: blockSteps(read) };
};

/** The cosine of one token's states with each other: [states · states]. */
export const turns: Answer<StreamParams & { readonly token: number }, Float32Array> = async (
  passes,
  { trace, token },
) => stateCosines(await statesOf(passes, trace, token), 0);

/** The cosine of all tokens with each other in one state: [L · L]. */
export const similarities: Answer<StreamParams & { readonly state: number }, Float32Array> = async (
  passes,
  { trace, state },
) => {
  const { source, states } = placesOf(passes, trace);
  const [length, width] = shapeOf(source, states[0]!);
  const values = states[state] === undefined ? [] : [await source.read(states[state])];
  return tokenCosines({ length, width, states: values, middles: [] }, values.length === 0 ? state : 0);
};

async function readStream(passes: Passes, trace: string): Promise<ResidualStream> {
  const { source, states, middles } = placesOf(passes, trace);
  const [length, width] = shapeOf(source, states[0]!);
  return {
    length,
    width,
    states: await Promise.all(states.map((name) => source.read(name))),
    middles: await Promise.all(middles.map((name) => source.read(name))),
  };
}
