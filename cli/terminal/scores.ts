/** Images and their classes, as a table. */
import type { ClassScore } from "../../lib/tasks/zero-shot.ts";
import { bar, fit, printable, widest } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const percentWidth = 6;
const gap = "  ";
const longestBar = 40;

/** A file's table: label, percent, bar. Where columns are few the bars go first, then the ends of labels. */
export function scoresTable(
  path: string,
  scores: readonly ClassScore[],
  { width, colors }: Terminal,
): string[] {
  const labels = scores.map(({ label }) => printable(label));
  const withoutLabel = gap.length * 2 + percentWidth;
  const labelWidth = Math.max(1, Math.min(widest(labels), width - withoutLabel));
  const barWidth = Math.min(longestBar, width - withoutLabel - labelWidth - gap.length);
  const rows = scores.map(({ probability }, i) => {
    const percent = `${(probability * 100).toFixed(1)}%`.padStart(percentWidth);
    const drawn = barWidth > 0 ? bar(probability, barWidth) : "";
    const row = `${gap}${fit(labels[i]!, labelWidth)}${gap}${percent}${drawn && gap + colors.cyan(drawn)}`;
    return i === 0 ? colors.bold(row) : row;
  });
  return [printable(path), ...rows];
}
