/** The distance between two traces, tap by tap: of two inputs, two models, or two files. */
import { compare, unravel } from "../tensor/compare.ts";
import type { TraceSource } from "./trace-source.ts";

/** The comparison of one tap. Figures that are missing or not finite are null. */
export interface TapDifference {
  readonly name: string;
  /** In each trace; null where it lacks the tap. */
  readonly shapes: readonly [a: readonly number[] | null, b: readonly number[] | null];
  /** ‖a − b‖ / ‖b‖ */
  readonly relativeL2: number | null;
  readonly cosine: number | null;
  /** Largest |a − b|. */
  readonly maxAbs: number | null;
  /** Position of the largest difference in the tap's shape. */
  readonly worst: readonly number[] | null;
}

/**
 * Compares all taps, one in memory at a time: those of `a` in its order, then those that only `b` has. Taps of different
 * shapes, such as those of texts of different lengths, have no figures.
 *
 * @throws InputError as the traces; the signal's reason if it is aborted
 */
export async function* compareTraces(
  a: TraceSource,
  b: TraceSource,
  signal?: AbortSignal,
): AsyncGenerator<TapDifference, void, undefined> {
  const shapesOf = ({ taps }: TraceSource): Map<string, readonly number[]> =>
    new Map(taps.map(({ name, shape }) => [name, shape]));
  const [inA, inB] = [shapesOf(a), shapesOf(b)];
  for (const name of new Set([...inA.keys(), ...inB.keys()])) {
    signal?.throwIfAborted();
    const shapes = [inA.get(name) ?? null, inB.get(name) ?? null] as const;
    const [shape, other] = shapes;
    if (shape?.join() !== other?.join() || shape === null) {
      yield { name, shapes, relativeL2: null, cosine: null, maxAbs: null, worst: null };
      continue;
    }
    const [ours, theirs] = await Promise.all([a.read(name), b.read(name)]);
    const { relativeL2, cosine, maxAbs, worstIndex } = compare(ours, theirs);
    yield {
      name,
      shapes,
      relativeL2: finite(relativeL2),
      cosine: finite(cosine),
      maxAbs: finite(maxAbs),
      worst: unravel(worstIndex, shape),
    };
  }
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
