/** What the attention view shows: weights of tokens, and their range. */
import { computed } from "@preact/signals";
import { Rollout, tokenAttention, type Attention } from "../../lib/study/attention.ts";
import { rangeOf } from "../../lib/trace/tap-summary.ts";
import { route } from "./navigation.ts";
import { attention, imagePass } from "./session.ts";

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

/** Attention of all layers, if it belongs to the image that is shown. */
export const layers = computed<readonly Attention[] | null>(() =>
  attention.value !== null && attention.value.of === imagePass.value?.of ? attention.value.value : null,
);

/** The weight of each token: [L], the class token first; null before the network is loaded. */
export const weights = computed<Float64Array | null>(() => {
  const all = layers.value;
  const { layer, head, token } = place.value;
  if (all === null) return storedWeights();
  const { mode } = route.value;
  if (mode === "rollout") return rolledOut(all, layer);
  return tokenAttention(all[layer]!, head, token, mode);
});

/** Before the network is loaded, the class token's attention is known. */
function storedWeights(): Float64Array | null {
  const { layer, head, token } = place.value;
  const heads = imagePass.value?.value.heads[layer];
  if (heads === undefined || token !== 0 || route.value.mode !== "from") return null;
  const chosen = head === null ? heads : [heads[head]!];
  return Float64Array.from(chosen[0]!.row, (_, i) =>
    chosen.reduce((sum, { row }) => sum + row[i]! / chosen.length, 0),
  );
}

/** Up to and with a layer. */
function rolledOut(all: readonly Attention[], layer: number): Float64Array {
  const rollout = new Rollout();
  for (const one of all.slice(0, layer + 1)) rollout.add(one);
  const patches = rollout.classToken();
  const own = 1 - patches.reduce((sum, weight) => sum + weight, 0);
  return Float64Array.from([own, ...patches]);
}

/** The largest weight between patches, over all layers and heads of the pass: the end of the absolute scale. */
const largest = computed(() => {
  const all = layers.value;
  if (all === null) {
    const rows = imagePass.value?.value.heads.flat().map(({ row }) => rangeOf(row.slice(1))[1]) ?? [1];
    return Math.max(...rows);
  }
  return all.reduce((most, layer) => Math.max(most, largestOfPatches(layer)), 0);
});

/** Of the keys that are patches: most weight of a patch may be on the class token, which has no place in the image. */
function largestOfPatches({ values, length }: Attention): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) if (i % length !== 0 && values[i]! > most) most = values[i]!;
  return most;
}

/** The weights that are drawn darkest and brightest. */
export function rangeFor(patchWeights: ArrayLike<number>): readonly [number, number] {
  return route.value.absolute ? [0, largest.value] : rangeOf(patchWeights);
}
