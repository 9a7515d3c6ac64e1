/** The comparison of two sides, tap by tap. */
import { computed, signal } from "@preact/signals";
import { compareTraces, type TapDifference } from "../../lib/trace/compare-traces.ts";
import { route } from "./navigation.ts";
import { follow } from "./session.ts";
import { sideA, sideB, type Side } from "./sides.ts";

export interface Comparing {
  readonly of: string;
  readonly differences: readonly TapDifference[];
  /** Taps to compare. */
  readonly total: number;
  readonly isComplete: boolean;
}

const found = signal<Comparing | null>(null);

const wanted = computed(() => {
  const [a, b] = [sideA.value, sideB.value];
  return a === null || b === null ? null : `${a.of}\n\n${b.of}`;
});

/** The comparison of the current sides, as far as it is; null before it has begun. */
export const comparing = computed(() =>
  found.value !== null && found.value.of === wanted.value ? found.value : null,
);

/** In milliseconds. */
const patience = 100;

follow(
  () => (route.value.view === "compare" ? wanted.value : null),
  async (of, abort) => {
    if (found.peek()?.of === of && found.peek()?.isComplete === true) return;
    const [a, b] = [sideA.peek()!, sideB.peek()!];
    const total = new Set([...a.source.taps, ...b.source.taps].map(({ name }) => name)).size;
    const differences: TapDifference[] = [];
    let shown = performance.now();
    const add = (difference: TapDifference): void => {
      differences.push(difference);
      if (performance.now() - shown < patience) return;
      shown = performance.now();
      found.value = { of, differences: [...differences], total, isComplete: false };
    };
    await compareSides(a, b, add, abort);
    found.value = { of, differences, total, isComplete: true };
  },
);

/** Where one network keeps both sides, their values are compared there. */
async function compareSides(
  a: Side,
  b: Side,
  add: (difference: TapDifference) => void,
  signal: AbortSignal,
): Promise<void> {
  if (a.kept !== null && a.kept.client === b.kept?.client) {
    const params = { a: a.kept.traces, b: b.kept.traces };
    await a.kept.client.call("differences", params, { signal, onUpdate: add });
    return;
  }
  for await (const difference of compareTraces(a.source, b.source, signal)) add(difference);
}

/** The compared tap whose figure is the largest; null if none has figures. */
export function worstOf(differences: readonly TapDifference[]): TapDifference | null {
  const compared = differences.filter(({ relativeL2 }) => relativeL2 !== null);
  return compared.reduce<TapDifference | null>(
    (worst, tap) => (worst === null || tap.relativeL2! > worst.relativeL2! ? tap : worst),
    null,
  );
}
