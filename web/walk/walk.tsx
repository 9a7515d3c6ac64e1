/** The walk's panel: one paragraph, and the way on. */
import { Icon } from "../parts/icon.tsx";
import { navigate, route } from "../state/navigation.ts";
import { home } from "../state/route.ts";
import { steps } from "./steps.ts";

/** Goes to a step, counted from 1; null ends the walk. */
export function goTo(step: number | null): void {
  if (step === null) {
    navigate({ walk: null });
    return;
  }
  const at = Math.min(Math.max(step, 1), steps.length);
  navigate({ ...home, unknown: route.peek().unknown, ...steps[at - 1]!.route, walk: at });
}

export function Walk() {
  const at = route.value.walk;
  const step = at === null ? undefined : steps[at - 1];
  if (at === null || step === undefined) return null;
  return (
    <section class="walk" aria-labelledby="walk-title">
      <header>
        <span class="muted">
          Walk · {at} of {steps.length}
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
      <h2 id="walk-title">{step.title}</h2>
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
