/** Work of many passes: starts by itself if it is short, else by the user, who is told how long it takes. */
import { computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Progress } from "./asked.ts";
import { imagePass } from "./session.ts";

export interface Work {
  readonly passes: ReadonlySignal<number>;
  /** In milliseconds. */
  readonly estimate: ReadonlySignal<number>;
  readonly isWanted: ReadonlySignal<boolean>;
  /** Null while nothing runs. */
  readonly progress: Signal<Progress | null>;
  readonly start: () => void;
  /** Ends the work; it starts again only by the user. */
  readonly stop: () => void;
}

/** In milliseconds: how long work may take that nobody has started. */
const patience = 3000;
/** Work goes on while its estimate grows by less than this factor. */
const margin = 1.5;

/** In milliseconds, of one pass of long work that has run; null before any has. */
const measured = signal<number | null>(null);

/** In milliseconds. Passes of long work run in batches and keep no values, so that one takes less than the shown pass. */
const pace = computed(() => measured.value ?? imagePass.value?.value.milliseconds ?? 0);

/** @param share of a whole pass that each takes */
export function longWork(count: () => number, share = 1): Work {
  const passes = computed(count);
  const whole = computed(() => passes.value * share);
  const estimate = computed(() => whole.value * pace.value);
  const allowed = signal(patience);
  const progress = signal<Progress | null>(null);
  const allow = (): void => {
    allowed.value = Math.max(allowed.peek(), patience, margin * estimate.peek());
  };
  effect(() => {
    if (progress.value !== null) allow();
  });
  measure(progress, whole);
  return {
    passes,
    estimate,
    isWanted: computed(() => estimate.value <= allowed.value),
    progress,
    start: allow,
    stop: () => {
      allowed.value = -1;
    },
  };
}

/** Takes the time of a pass from work that ends. @param passes whole ones */
function measure(progress: Signal<Progress | null>, passes: ReadonlySignal<number>): void {
  let start: { readonly time: number; readonly done: number } | null = null;
  let perPass: number | null = null;
  effect(() => {
    const now = progress.value;
    if (now === null) {
      if (perPass !== null) measured.value = perPass;
      start = perPass = null;
    } else if (start === null) start = { time: performance.now(), done: now.done };
    else if (now.done > start.done) {
      const each = (performance.now() - start.time) / (now.done - start.done);
      perPass = (each * now.total) / passes.peek();
    }
  });
}
