/** The scores of several models for one image: a column for each model. */
import type { ClassScore } from "../../lib/tasks/zero-shot.ts";
import { percent, printable } from "./format.ts";
import { layOutTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export interface ComparedImage {
  readonly path: string;
  /** In the order of the command line; scores in the order of the model's labels. */
  readonly models: readonly { readonly model: string; readonly scores: readonly ClassScore[] }[];
}

/**
 * The path, then a row for each label with each model's probability; the best label of a model has a star. Models that are
 * asked in another language have their own labels next to the probabilities.
 *
 * @param labels of the rows: the first model's
 */
export function comparisonTable(
  { path, models }: ComparedImage,
  labels: readonly string[],
  { width, colors }: Pick<Terminal, "width" | "colors">,
): string[] {
  const names = shortNames(models.map(({ model }) => model));
  const cells = labels.map((label, row) => [
    printable(label),
    ...models.map(({ scores }) => {
      const { label: own, probability } = scores[row]!;
      const best = scores.every((other) => other.probability <= probability) ? "*" : " ";
      const translated = own === label ? "" : `${printable(own)}  `;
      return `${translated}${percent(probability).padStart(6)} ${best}`;
    }),
  ]);
  const columns = names.map((title) => ({ title: printable(title), align: "right" as const }));
  const { head, rows } = layOutTable([{ cut: "end" }, ...columns], cells, { width: width - 2 });
  return [printable(path), colors.bold(`  ${head}`), ...rows.map((row) => `  ${row}`)];
}

/** The last parts of paths and repositories, as many as tell the models apart. */
function shortNames(models: readonly string[]): string[] {
  const parts = models.map((model) => model.replace(/^hf:/, "").split(/[/\\]/).filter(Boolean));
  for (let count = 1; count < Math.max(...parts.map(({ length }) => length)); count++) {
    const names = parts.map((one) => one.slice(-count).join("/"));
    if (new Set(names).size === models.length) return names;
  }
  return [...models];
}
