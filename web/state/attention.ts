/** What the attention view shows: weights of tokens, and their range. */
import { computed, signal } from "@preact/signals";
import { tokenAttention, type Attention } from "../../lib/study/attention.ts";
import { rangeOf } from "../../lib/trace/tap-summary.ts";
import { call } from "./network.ts";
import { route } from "./navigation.ts";
import { follow, imagePass, imageTrace } from "./session.ts";

/** The selected layer and head, within what the model has. */
export const place = computed(() => {
  const heads = imagePass.value?.value.heads ?? [];
  const layer = Math.min(route.value.layer, Math.max(heads.length - 1, 0));
  const count = heads[layer]?.length ?? 1;
  const { head, token } = route.value;
  const tokens = heads[layer]?.[0]?.row.length ?? 1;
  return {
    layer,
    head: head === null ? null : Math.min(head, count - 1),
    token: Math.min(token, tokens - 1),
  };
});

/** A matrix of attention or a rollout, and the selection that it belongs to. */
interface Found<T> {
  readonly of: string;
  readonly value: T;
}

const found = signal<Found<Attention> | null>(null);
const rolledOut = signal<Found<Float64Array> | null>(null);

/** The selection that has a matrix; null before the network has run. */
const selected = computed(() => {
  const trace = imageTrace.value;
  const { layer, head } = place.value;
  return trace === null ? null : { trace, layer, head, of: `${trace} ${layer} ${head}` };
});

const isOpen = computed(() => route.value.view === "attention");

follow(
  () => (isOpen.value ? selected.value : null),
  async ({ of, ...params }, signal) => {
    if (found.peek()?.of === of) return;
    const values = await call("attention", params, { signal });
    found.value = { of, value: { values, heads: 1, length: Math.sqrt(values.length) } };
  },
);

follow(
  () => (isOpen.value && route.value.mode === "rollout" ? selected.value : null),
  async ({ trace, layer }, signal) => {
    const of = `${trace} ${layer}`;
    if (rolledOut.peek()?.of === of) return;
    rolledOut.value = { of, value: await call("rollout", { trace, layer }, { signal }) };
  },
);

/** The selected head as a layer of one head, or the mean over heads; null until it is there. */
export const matrix = computed<Attention | null>(() =>
  found.value !== null && found.value.of === selected.value?.of ? found.value.value : null,
);

/** The weight of each token: [L], the class token first; null until it is there. */
export const weights = computed<Float64Array | null>(() => {
  const { layer, token } = place.value;
  const { mode } = route.value;
  if (mode === "rollout") {
    const trace = imageTrace.value;
    return rolledOut.value?.of === `${trace} ${layer}` ? rolledOut.value.value : null;
  }
  return matrix.value === null ? storedWeights() : tokenAttention(matrix.value, 0, token, mode);
});

/** The class token's attention is part of the pass. */
function storedWeights(): Float64Array | null {
  const { layer, head, token } = place.value;
  const heads = imagePass.value?.value.heads[layer];
  if (heads === undefined || token !== 0 || route.value.mode !== "from") return null;
  const chosen = head === null ? heads : [heads[head]!];
  return Float64Array.from(chosen[0]!.row, (_, i) =>
    chosen.reduce((sum, { row }) => sum + row[i]! / chosen.length, 0),
  );
}

/** The largest weight on a patch, over all layers and heads of the pass: the end of the absolute scale. */
export const largest = computed(() =>
  Math.max(0, ...(imagePass.value?.value.heads.flat().map((head) => head.largest) ?? [1])),
);

/** The weights that are drawn darkest and brightest. */
export function rangeFor(patchWeights: ArrayLike<number>): readonly [number, number] {
  return route.value.absolute ? [0, largest.value] : rangeOf(patchWeights);
}
