/** The answer to a question that the selection of a view asks. */
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { CallName, Calls } from "../worker/protocol.ts";
import { call } from "./network.ts";
import { follow } from "./session.ts";

/**
 * Asks again whenever the parameters change, and drops the work on the parameters before.
 *
 * @param params of the question; null if nothing is to be asked, as while the view is closed
 * @returns the answer to the current parameters; null until it is there
 */
export function asked<N extends CallName>(
  name: N,
  params: () => Calls[N]["params"] | null,
): ReadonlySignal<Calls[N]["result"] | null> {
  const found = signal<{ readonly of: string; readonly value: Calls[N]["result"] } | null>(null);
  const wanted = computed(() => {
    const given = params();
    return given === null ? null : JSON.stringify(given);
  });
  follow(
    () => wanted.value,
    async (of, abort) => {
      if (found.peek()?.of === of) return;
      const value = await call(name, JSON.parse(of) as Calls[N]["params"], { signal: abort });
      found.value = { of, value };
    },
  );
  return computed(() => (found.value !== null && found.value.of === wanted.value ? found.value.value : null));
}
