/** The matrix of images and labels: computed whenever labels, templates or the tray change. */
import { computed, effect, signal } from "@preact/signals";
import { samples } from "virtual:samples";
import { notifyError } from "./notices.ts";
import { route } from "./navigation.ts";
import { model } from "./network.ts";
import { match, modelInfo } from "./session.ts";
import { trayImages } from "./tray.ts";

const defaultLabels = samples.map(({ captions }) => captions["en"]!);

export const labels = computed<readonly string[]>(() => route.value.labels ?? defaultLabels);

/** The factor of the cosine: the model's own, or the user's. */
export const scale = computed(() => route.value.scale ?? modelInfo.value?.scale ?? 1);

interface Matching {
  readonly images: readonly string[];
  readonly labels: readonly string[];
  /** [images][labels] */
  readonly cosines: readonly (readonly number[])[];
}

export const matching = signal<Matching | null>(null);
/** Why the labels cannot be matched; null if they can. */
export const problem = signal<string | null>(null);

/** In milliseconds, after the last key. */
const debounce = 120;

const wanted = computed(() =>
  JSON.stringify({
    isNeeded: route.value.view === "match" && model.value.status === "live",
    images: trayImages.value.map(({ key }) => key),
    labels: labels.value,
    templates: route.value.templates,
  }),
);

effect(() => {
  const { isNeeded } = JSON.parse(wanted.value) as { readonly isNeeded: boolean };
  if (!isNeeded) return;
  const controller = new AbortController();
  const [images, names, { templates }] = [trayImages.peek(), labels.peek(), route.peek()];
  const timer = setTimeout(() => {
    match(images, names, templates, controller.signal).then(
      (cosines) => {
        problem.value = null;
        const rows = images.flatMap(({ key }, i) => {
          const row = cosines[i];
          return row ? [{ key, row }] : [];
        });
        matching.value = {
          images: rows.map(({ key }) => key),
          labels: names,
          cosines: rows.map(({ row }) => row),
        };
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        if (error instanceof Error) problem.value = error.message;
        else notifyError(error);
      },
    );
  }, debounce);
  return () => {
    clearTimeout(timer);
    controller.abort();
  };
});

/** exp(x − max) / Σ, in float64. */
export function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
