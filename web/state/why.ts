/** What the view Why shows: maps by all methods, the check of the chosen one, and the tokens of the text. */
import { computed, signal } from "@preact/signals";
import type { SaliencyMap } from "../../lib/study/saliency/map.ts";
import { asked } from "./asked.ts";
import { longWork } from "./long-work.ts";
import { labels } from "./matching.ts";
import { route } from "./navigation.ts";
import type { MethodName } from "./route.ts";
import { imagePass, imageTrace, textTrace } from "./session.ts";

const trace = computed(() => (route.value.view === "why" ? imageTrace.value : null));

/** The index of the label that is explained. */
export const label = computed(() => Math.max(labels.value.indexOf(route.value.label ?? ""), 0));

const question = computed(() => {
  if (trace.value === null) return null;
  const name = labels.value[label.value]!;
  const { against, templates } = route.value;
  return against
    ? { trace: trace.value, labels: labels.value, templates, label: label.value }
    : { trace: trace.value, labels: [name], templates, label: 0 };
});

/** The side of a patch in pixels. */
const patch = computed(() => {
  const pass = imagePass.value?.value;
  return pass ? Math.floor(pass.input.height / pass.patches[0]) : 1;
});

/** Of the occlusion, in pixels. */
export const occluded = computed(() => {
  const window = route.value.window * patch.value;
  return { window, stride: Math.max(Math.round(window / 2), 1) };
});

/** How many passes each method takes. A gradient takes three: the pass, its blocks again, and the way back. */
const passes = computed<Readonly<Record<MethodName, number>>>(() => {
  const pass = imagePass.value?.value;
  const { window, stride } = occluded.value;
  const along = (size: number): number => Math.max(Math.ceil((size - window) / stride), 0) + 1;
  return {
    gradient: 3,
    integrated: 3 * route.value.steps,
    relevance: 3,
    occlusion: pass ? along(pass.input.width) * along(pass.input.height) : 0,
  };
});

/** The curve of the map, and three random orders. */
const curvePasses = computed(() => {
  const pass = imagePass.value?.value;
  return pass ? 4 * (Math.min(pass.patches[0] * pass.patches[1], 32) + 1) : 0;
});

function explained(method: MethodName) {
  const work = longWork(() => passes.value[method]);
  const part = signal<SaliencyMap | null>(null);
  const found = asked(
    "explain",
    () => {
      if (question.value === null || !work.isWanted.value) return null;
      const { startLayer, steps } = route.value;
      const layers = imagePass.value?.value.heads.length ?? 1;
      // Only what the method reads, so that another method's option does not ask again.
      return {
        ...question.value,
        method,
        startLayer: method === "relevance" ? Math.min(startLayer, layers - 1) : 0,
        steps: method === "integrated" ? steps : 1,
        ...(method === "occlusion" ? occluded.value : { window: 1, stride: 1 }),
      };
    },
    work.progress,
    part,
  );
  return { found, work, part };
}

export const explanations = {
  gradient: explained("gradient"),
  integrated: explained("integrated"),
  relevance: explained("relevance"),
  occlusion: explained("occlusion"),
} as const;

const chosen = computed(() => explanations[route.value.method].found.value);

export const curveWork = longWork(() => curvePasses.value);
export const curve = asked(
  "deletion",
  () =>
    question.value === null || chosen.value === null || !curveWork.isWanted.value
      ? null
      : { ...question.value, map: chosen.value.map },
  curveWork.progress,
);

export const textExplanation = asked("explainText", () =>
  trace.value === null || textTrace.value === null ? null : { image: trace.value, text: textTrace.value },
);
