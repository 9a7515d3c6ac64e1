/** The residual stream of a kept pass: norms, what blocks add, and how tokens and states are related. */
import type { Block, Tower } from "../../nn/tower.ts";
import {
  blockSteps,
  stateCosines,
  tokenCosines,
  tokenNorms,
  type BlockStep,
  type ResidualStream,
} from "../../study/stream.ts";
import type { TraceSource } from "../../trace/trace-source.ts";
import type { Answer } from "../answer.ts";
import type { Passes } from "../passes.ts";

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
) => stateCosines(await readStates(passes, trace, token), 0);

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

/** One token's row of each state, as a stream of one token. */
async function readStates(passes: Passes, trace: string, token: number): Promise<ResidualStream> {
  const { source, states } = placesOf(passes, trace);
  const [, width] = shapeOf(source, states[0]!);
  const rows = states.map(async (name) => (await source.read(name, token * width, width)).slice());
  return { length: 1, width, states: await Promise.all(rows), middles: [] };
}

/** The taps that hold the stream, in the order of the computation. */
function placesOf(
  passes: Passes,
  trace: string,
): { readonly source: TraceSource; readonly states: string[]; readonly middles: string[] } {
  const source = passes.find(trace).trace;
  const names = new Set(source.taps.map(({ name }) => name));
  const { visual, text } = passes.model;
  const towers: readonly Pick<Tower<never>, "blocks" | "embedTap">[] = [visual, text];
  const tower = towers.find(({ embedTap }) => names.has(embedTap))!;
  const paths = tower.blocks.map(({ scope }: Block) => scope.path);
  return {
    source,
    states: [tower.embedTap, ...paths],
    middles: paths.map((path) => `${path}#after_attention`).filter((name) => names.has(name)),
  };
}

function shapeOf({ taps }: TraceSource, tap: string): readonly [length: number, width: number] {
  const [, length, width] = taps.find(({ name }) => name === tap)!.shape;
  return [length!, width!];
}
