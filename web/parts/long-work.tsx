/** Takes the place of a result that takes long: how long, a button that starts it, or how far it is. */
import type { Work } from "../state/long-work.ts";

interface Props {
  readonly work: Work;
  /** Whether the work waits for another result. */
  readonly waits?: boolean;
}

export function LongWork({ work, waits = false }: Props) {
  const { passes, progress, estimate, isWanted } = work;
  if (progress.value !== null) {
    return (
      <p class="long-work">
        <progress max={progress.value.total} value={progress.value.done} aria-label="Passes" />
        <span>
          {progress.value.done} of {progress.value.total}
        </span>
        <button type="button" onClick={work.stop}>
          Cancel
        </button>
      </p>
    );
  }
  if (isWanted.value || waits) return <div class="long-work hatched" />;
  return (
    <p class="long-work">
      <button type="button" class="start" onClick={work.start}>
        Run {passes.value} passes
      </button>
      <span class="muted">about {duration(estimate.value)}, from the time of earlier passes</span>
    </p>
  );
}

function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} minutes`;
}
