/** Work of many passes: starts by itself if it is short, else by the user, who is told how long it takes. */
import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Progress } from "./asked.ts";

export interface Work {
  /** In milliseconds, from the time of the last pass. */
  readonly estimate: ReadonlySignal<number>;
  readonly isWanted: ReadonlySignal<boolean>;
  /** Null while nothing runs. */
  readonly progress: Signal<Progress | null>;
  start(): void;
  /** Ends the work; it starts again only by the user. */
  stop(): void;
}

/** In milliseconds. */
const patience = 3000;

/** @param milliseconds how long the work takes */
export function longWork(milliseconds: () => number): Work {
  const estimate = computed(milliseconds);
  const decision = signal<boolean | null>(null);
  return {
    estimate,
    isWanted: computed(() => decision.value ?? estimate.value <= patience),
    progress: signal(null),
    start: () => {
      decision.value = true;
    },
    stop: () => {
      decision.value = false;
    },
  };
}
