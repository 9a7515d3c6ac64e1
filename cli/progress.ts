/** The line that shows how far a piece of work is. */
import { bar, fit } from "./table.ts";

export interface WorkDone {
  readonly done: number;
  /** Of those, how many an earlier run did. Default: none. */
  readonly before?: number;
  readonly total: number;
  /** Of what, in the plural: "images". */
  readonly unit: string;
  /** Since the start. */
  readonly seconds: number;
}

const longestBar = 40;

/** "██████▌       26/160 images, 2.1/s, 1m05s left", one column shorter than the terminal: the cursor stands behind it. */
export function progressLine({ done, before = 0, total, unit, seconds }: WorkDone, columns: number): string {
  const rate = (done - before) / seconds;
  const left = done === before ? "" : `, ${rate.toPrecision(2)}/s, ${duration((total - done) / rate)} left`;
  const count = `${`${done}`.padStart(`${total}`.length)}/${total} ${unit}${left}`;
  const width = Math.min(
    longestBar,
    columns - " 99.9/s, 99h59m left, ".length - `${total}/${total} ${unit}`.length,
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
