/** Stands in the place of a result that takes long: how long, a button that starts it, or how far it is. */
import type { Progress } from "../state/asked.ts";

interface Props {
  readonly passes: number;
  /** In milliseconds. */
  readonly estimate: number;
  readonly progress: Progress | null;
  /** Null while nothing waits for the user. */
  readonly onStart: (() => void) | null;
}

export function LongWork({ passes, estimate, progress, onStart }: Props) {
  if (progress !== null) {
    return (
      <p class="long-work">
        <progress max={progress.total} value={progress.done} aria-label="Passes" />
        <span>
          {progress.done} of {progress.total}
        </span>
      </p>
    );
  }
  if (onStart === null) return <div class="long-work hatched" />;
  return (
    <p class="long-work">
      <button type="button" onClick={onStart}>
        Run {passes} passes
      </button>
      <span class="muted">about {duration(estimate)}, from the time of the last pass</span>
    </p>
  );
}

function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`;
}
