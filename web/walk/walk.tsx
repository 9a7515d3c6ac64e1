/** The walk's panel: one paragraph, and the way on. What the paragraph is about is marked in the view. */
import { computed } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "../parts/icon.tsx";
import { runsInServer } from "../state/network.ts";
import { navigate, route } from "../state/navigation.ts";
import { home } from "../state/route.ts";
import { markTarget } from "./target.ts";
import { steps } from "./steps.ts";

/** The walk is about the demo model, which runs in the page. */
export const hasWalk = computed(() => !runsInServer.value);

/** Goes to a step, counted from 1; null ends the walk. */
export function goTo(step: number | null): void {
  if (!hasWalk.peek()) return;
  if (step === null) {
    navigate({ walk: null });
    return;
  }
  const at = Math.min(Math.max(step, 1), steps.length);
  navigate({ ...home, unknown: route.peek().unknown, ...steps[at - 1]!.route, walk: at });
}

export function Walk() {
  const at = route.value.walk;
  const step = at === null || !hasWalk.value ? undefined : steps[at - 1];
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => (step === undefined ? undefined : markTarget(panel.current!, step.target)), [step]);
  if (at === null || step === undefined) return null;
  return (
    <section ref={panel} class="walk" aria-labelledby="walk-title">
      <header>
        <h2 id="walk-title">{step.title}</h2>
        <span class="muted">
          {at} of {steps.length}
        </span>
        <button
          type="button"
          class="plain"
          aria-label="End the walk"
          onClick={() => {
            goTo(null);
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      <p aria-live="polite">{step.text}</p>
      <footer>
        <button
          type="button"
          disabled={at === 1}
          onClick={() => {
            goTo(at - 1);
          }}
        >
          Back
        </button>
        <progress max={steps.length} value={at} aria-label="Steps of the walk" />
        <button
          type="button"
          class="primary"
          onClick={() => {
            goTo(at === steps.length ? null : at + 1);
          }}
        >
          {at === steps.length ? "Done" : "Next"}
        </button>
      </footer>
    </section>
  );
}
