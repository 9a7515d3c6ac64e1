/** What the lens view shows: scores of labels after each block. */
import { computed, signal } from "@preact/signals";
import type { Calls } from "../worker/protocol.ts";
import { asked } from "./asked.ts";
import { labels } from "./matching.ts";
import { route } from "./navigation.ts";
import { imageTrace } from "./session.ts";

const trace = computed(() => (route.value.view === "lens" ? imageTrace.value : null));

const question = computed(() =>
  trace.value === null
    ? null
    : { trace: trace.value, labels: labels.value, templates: route.value.templates },
);

export const scores = asked("lens", () => question.value);

/** The layer of the map, within what the model has; the last one until another is chosen. */
export const layer = computed(() => {
  const layers = scores.value?.cosines.length ?? 1;
  return Math.min(route.value.lensLayer ?? layers - 1, layers - 1);
});

/** The label of the map: the chosen one, or the answer of the last layer. */
export const label = computed(() => {
  const chosen = route.value.label;
  const all = labels.value;
  if (chosen !== null && all.includes(chosen)) return chosen;
  const last = scores.value?.logits.at(-1);
  return last === undefined ? (all[0] ?? "") : all[last.indexOf(Math.max(...last))]!;
});

export const patchScores = asked("patchLens", () =>
  question.value === null || scores.value === null ? null : { ...question.value, layer: layer.value },
);

/** Probe files that the user has opened. They are not part of the address. */
export const probes = signal<Calls["probeLens"]["params"]["probes"]>([]);

export const probeAnswers = asked("probeLens", () =>
  trace.value === null || probes.value.length === 0 ? null : { trace: trace.value, probes: probes.value },
);
