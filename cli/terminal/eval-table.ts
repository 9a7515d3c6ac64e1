/** The result of an evaluation as a table. */
import type { Done } from "../commands/eval.ts";
import { printable } from "./format.ts";
import { layOutTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** "0.7695", or a dash. */
export function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : value.toFixed(4);
}

export function evaluationLines(
  { record, evaluation, file, isEarlier }: Done,
  { colors, width }: Terminal,
): string[] {
  const { images, datasetImages, ties, isPartial } = evaluation;
  const { rows } = layOutTable(
    [{}, { align: "right" }, { align: "right" }],
    Object.entries(record.metrics).map(([name, value]) => {
      const error = evaluation.standardErrors[name] ?? null;
      return [`  ${name}`, figure(value), value === null || error === null ? "" : `± ${figure(error)}`];
    }),
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
