/** What the view of interventions shows: a sweep over all heads, one replacement, and a causal trace. */
import { computed, signal } from "@preact/signals";
import type { Calls } from "../worker/protocol.ts";
import { asked } from "./asked.ts";
import { longWork } from "./long-work.ts";
import { labels } from "./matching.ts";
import { route } from "./navigation.ts";
import { follow, imagePass, imageTrace, traceOfImage } from "./session.ts";
import { currentImage, trayImages } from "./tray.ts";

const trace = computed(() => (route.value.view === "intervene" ? imageTrace.value : null));

/** The image that values are taken from: the chosen one, or the one that is pinned as B. */
export const donor = computed(() => {
  const others = trayImages.value.filter(({ key }) => key !== currentImage.value?.key);
  return others.find(({ key }) => key === (route.value.donor ?? route.value.imageB)) ?? others[0] ?? null;
});

const donorTrace = signal<{ readonly of: string; readonly trace: string } | null>(null);

follow(
  () => (trace.value === null ? null : donor.value),
  async (image, abort) => {
    if (donorTrace.peek()?.of === image.key) return;
    donorTrace.value = { of: image.key, trace: await traceOfImage(image, abort) };
  },
);

const other = computed(() =>
  donorTrace.value !== null && donorTrace.value.of === donor.value?.key ? donorTrace.value.trace : null,
);

/** The label whose score is measured: the chosen one, or the first. */
export const label = computed(() => Math.max(labels.value.indexOf(route.value.label ?? ""), 0));

/** The chosen layer, head and token, within what the model has. */
export const place = computed(() => {
  const heads = imagePass.value?.value.heads ?? [];
  const { layer, head, token } = route.value;
  const at = Math.min(layer, Math.max(heads.length - 1, 0));
  const tokens = heads[0]?.[0]?.row.length ?? 1;
  return {
    layers: heads.length,
    heads: heads[0]?.length ?? 0,
    layer: at,
    head: Math.min(head ?? 0, Math.max((heads[at]?.length ?? 1) - 1, 0)),
    token: Math.min(token, tokens - 1),
    tokens,
  };
});

const question = computed(() =>
  trace.value === null
    ? null
    : { trace: trace.value, labels: labels.value, templates: route.value.templates },
);

/** The value that is replaced, and its part. */
const selection = computed<Pick<Calls["intervene"]["params"], "tap" | "heads" | "tokens">>(() => {
  const { layer, head, token } = place.value;
  const block = `visual.transformer.resblocks.${layer}`;
  switch (route.value.part) {
    case "head":
      return { tap: `${block}.attn#probabilities`, heads: [head] };
    case "attention":
      return { tap: `${block}.attn` };
    case "mlp":
      return { tap: `${block}.mlp` };
    case "token":
      return { tap: block, tokens: [token] };
  }
});

export const effect = asked("intervene", () => {
  const { by } = route.value;
  if (question.value === null || (by === "other" && other.value === null)) return null;
  return {
    ...question.value,
    ...selection.value,
    by,
    ...(by === "other" && { other: other.value! }),
  };
});

/** A pass from block l on takes its part of a whole one: half on average. */
const share = 0.5;

export const sweepWork = longWork(() => place.value.layers * place.value.heads, share);
export const sweep = asked(
  "sweep",
  () =>
    question.value === null || !sweepWork.isWanted.value
      ? null
      : { ...question.value, label: label.value, by: route.value.by === "mean" ? "mean" : "zero" },
  sweepWork.progress,
);

export const causalWork = longWork(() => (place.value.layers + 1) * place.value.tokens, share);
export const causal = asked(
  "causal",
  () =>
    question.value === null || other.value === null || !causalWork.isWanted.value
      ? null
      : { ...question.value, label: label.value, other: other.value },
  causalWork.progress,
);
