/** Where the residual stream of a kept pass is: in which taps of which trace. */
import type { Block, Tower } from "../nn/tower.ts";
import type { ResidualStream } from "../study/stream.ts";
import type { TraceSource } from "../trace/trace-source.ts";
import type { Passes } from "./passes.ts";

/** The stream's taps, in the order of the computation. */
export interface StreamPlaces {
  readonly source: TraceSource;
  /** What block 0 takes, then the output of each block. */
  readonly states: readonly string[];
  /** Between attention and MLP; empty for a post-norm tower. */
  readonly middles: readonly string[];
}

/** @throws InputError if the pass is no longer kept */
export function placesOf(passes: Passes, trace: string): StreamPlaces {
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

/** Of a tap [1, length, width]. */
export function shapeOf({ taps }: TraceSource, tap: string): readonly [length: number, width: number] {
  const [, length, width] = taps.find(({ name }) => name === tap)!.shape;
  return [length!, width!];
}

/** One token's row of each state, as the stream of one token. */
export async function statesOf(passes: Passes, trace: string, token: number): Promise<ResidualStream> {
  const { source, states } = placesOf(passes, trace);
  const [, width] = shapeOf(source, states[0]!);
  const rows = states.map(async (name) => (await source.read(name, token * width, width)).slice());
  return { length: 1, width, states: await Promise.all(rows), middles: [] };
}
