/** The result of an evaluation as a table. */
import type { Finished } from "../../lib/node/eval/run.ts";
import { signed, type Comparison } from "../../lib/eval/published.ts";
import { printable } from "./format.ts";
import { layOutTable, type Column } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** "0.7695", or a dash. */
function figure(value: number | boolean | null): string {
  return typeof value === "number" ? value.toFixed(4) : "–";
}

/** The published figure, our difference from it, the verdict, and the source. */
function comparisonCells({
  published: { value, decimals, source },
  difference,
  verdict,
}: Comparison): string[] {
  const shown = value.toFixed(Math.min(decimals, 4));
  return [
    shown,
    signed(difference),
    { match: "✓", differs: "✗", informative: "·" }[verdict],
    printable(source.name),
  ];
}

/**
 * The figures of a dataset with their standard errors; beside them published figures, the difference and whether it is
 * within the tolerance (✓ or ✗; · where published sources contradict each other).
 */
export function evaluationLines(
  { record, evaluation, file, isEarlier }: Finished,
  comparisons: readonly Comparison[],
  { colors, width }: Terminal,
): string[] {
  const { images, datasetImages, ties, isPartial } = evaluation;
  const columns: Column[] = [
    {},
    { align: "right" },
    { align: "right" },
    { align: "right" },
    { align: "right" },
    {},
    { cut: "end" },
  ];
  const header = ["", "", "± s.e.", "publ.", "diff.", "", "source"];
  const { rows } = layOutTable(
    columns,
    [
      ...(comparisons.length > 0 ? [header] : []),
      ...Object.entries(record.metrics).flatMap(([name, value]) => {
        const error = evaluation.standardErrors[name] ?? null;
        // The settings of a linear probe have no standard error.
        const isFigure = Object.hasOwn(evaluation.standardErrors, name);
        const shown = isFigure ? figure(value) : `${value}`;
        const own = [`  ${name}`, shown, value === null || error === null ? "" : `± ${figure(error)}`];
        const [first, ...others] = comparisons.filter(({ metric }) => metric === name).map(comparisonCells);
        if (first === undefined) return [[...own, "", "", "", ""]];
        return [[...own, ...first], ...others.map((cells) => ["", "", "", ...cells])];
      }),
    ],
    { width },
  );
  const remarks = [
    ...(isPartial ? [`  partial: ${images} of ${datasetImages} images`] : []),
    ...(ties > 0
      ? [`  ${ties} ${ties === 1 ? "answer depends" : "answers depend"} on the order of equal scores`]
      : []),
    ...(file === null ? [] : [`  ${printable(file)}${isEarlier ? " (finished before)" : ""}`]),
  ];
  const title = `${printable(record.dataset)} (${record.language}), ${images} images, ${record.task}`;
  return [colors.bold(title), ...rows, ...remarks];
}
