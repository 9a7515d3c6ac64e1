/** The answer to a question that the selection of a view asks. */
import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { encodeWire } from "../../lib/studio/wire.ts";
import type { CallName, Calls } from "../worker/protocol.ts";
import { call } from "./network.ts";
import { follow } from "./session.ts";

export interface Progress {
  readonly done: number;
  readonly total: number;
}

/**
 * Asks again whenever the parameters change, and drops the work on the parameters before.
 *
 * @param params of the question; null if nothing is to be asked, as while the view is closed
 * @param progress is told how much of the work is done; null while nothing runs
 * @param part receives parts of the answer while it is computed
 * @returns the answer to the current parameters; null until it is there
 */
export function asked<N extends CallName>(
  name: N,
  params: () => Calls[N]["params"] | null,
  progress: Signal<Progress | null> = signal(null),
  part: Signal<Calls[N]["update"] | null> = signal(null),
): ReadonlySignal<Calls[N]["result"] | null> {
  const found = signal<{ readonly of: string; readonly value: Calls[N]["result"] } | null>(null);
  const given = computed(params);
  /** Equal parameters have equal texts, so that they are asked once. */
  const wanted = computed(() => (given.value === null ? null : encodeWire(given.value)));
  follow(
    () => wanted.value,
    async (of, abort) => {
      if (found.peek()?.of === of) return;
      try {
        const value = await call(name, given.peek()!, {
          signal: abort,
          onProgress: (done, total) => {
            if (!abort.aborted) progress.value = { done, total };
          },
          onUpdate: (update) => {
            if (!abort.aborted) part.value = update;
          },
        });
        found.value = { of, value };
      } finally {
        progress.value = null;
        part.value = null;
      }
    },
  );
  return computed(() => (found.value !== null && found.value.of === wanted.value ? found.value.value : null));
}
