/** The progress line of a run. */
import { bar } from "./format.ts";
import { fit } from "./table.ts";

export interface Work {
  readonly done: number;
  /** How many of `done` an earlier run did. Default: 0. */
  readonly before?: number;
  readonly total: number;
  /** What is counted, in the plural: "images". */
  readonly unit: string;
  /** Further figures, behind the others. */
  readonly facts?: string;
}

/** Receives the state of a run: counted work, or a phrase. */
export type ShowProgress = (state: Work | string) => void;

const longestBar = 40;

/**
 * "██████▌       26/160 images, 2.1/s, 1m05s left", one column shorter than the terminal, to leave room for the cursor.
 *
 * @param seconds since the work began
 */
export function progressLine(
  { done, before = 0, total, unit, facts }: Work,
  seconds: number,
  columns: number,
): string {
  const perSecond = (done - before) / seconds;
  const rate = perSecond < 10 ? perSecond.toPrecision(2) : perSecond.toFixed(0);
  const hasRate = done > before && seconds > 0;
  const left = hasRate ? `, ${rate}/s, ${duration((total - done) / perSecond)} left` : "";
  const further = facts === undefined ? "" : `, ${facts}`;
  const count = `${`${done}`.padStart(`${total}`.length)}/${total} ${unit}${left}${further}`;
  const width = Math.min(
    longestBar,
    columns - " 9999/s, 99h59m left, ".length - `${total}/${total} ${unit}${further}`.length,
  );
  const line = width > 0 ? `${fit(bar(done / total, width), width)} ${count}` : count;
  return line.slice(0, Math.max(0, columns - 1));
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  const two = (value: number): string => `${value}`.padStart(2, "0");
  if (minutes >= 60) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  return minutes > 0 ? `${minutes}m${two(rest)}s` : `${rest}s`;
}

/** Bytes as counted work, in whole megabytes. */
export function megabytes(done: number, total: number, before = 0): Work {
  const inMegabytes = (bytes: number): number => Math.floor(bytes / 1e6);
  return {
    done: inMegabytes(done),
    before: inMegabytes(before),
    total: inMegabytes(total),
    unit: "MB",
  };
}
