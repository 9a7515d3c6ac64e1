/** Classes of images with their probabilities: the output of `classify` and `probe predict`. */
import type { ClassScore } from "../../lib/tasks/zero-shot.ts";
import { bar, percent, printable } from "./format.ts";
import { layOutTable, widest } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export interface ScoredImage {
  readonly path: string;
  /** Best first. */
  readonly scores: readonly ClassScore[];
}

/** Prints the images of each batch as it arrives, in one JSON document if asked. */
export async function printScores(
  batches: AsyncIterable<readonly ScoredImage[]> | Iterable<readonly ScoredImage[]>,
  { top, json = false }: { readonly top?: number; readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const list = json ? terminal.jsonList() : null;
  for await (const batch of batches) {
    for (const { path, scores } of batch) {
      const shown = { path, scores: scores.slice(0, top) };
      if (list !== null) list.add(shown);
      else terminal.printLines(scoresTable(shown, terminal));
    }
  }
  list?.end();
}

const indent = "  ";
const gaps = 4;
const percentWidth = 6;
const longestBar = 40;

/** The path, then a row per class: label, percentage, bar. Narrow terminals get no bars. */
function scoresTable({ path, scores }: ScoredImage, { width, colors }: Terminal): string[] {
  const labels = scores.map(({ label }) => printable(label));
  const room = width - indent.length;
  const barWidth = Math.min(longestBar, room - widest(labels) - percentWidth - gaps);
  const cells = scores.map(({ probability }, i) => {
    const drawn = barWidth > 0 ? bar(probability, barWidth) : "";
    return [labels[i]!, percent(probability).padStart(percentWidth), drawn && colors.cyan(drawn)];
  });
  const { rows } = layOutTable([{ cut: "end" }, {}, {}], cells, { width: room });
  return [printable(path), ...rows.map((row, i) => indent + (i === 0 ? colors.bold(row) : row))];
}
