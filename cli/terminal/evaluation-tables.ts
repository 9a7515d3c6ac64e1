/** The evaluation of a classifier as tables. */
import { type Evaluation } from "../../lib/probe/evaluate.ts";
import { percent, printable } from "./format.ts";
import { fit, layOutTable, widest } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const longestName = 24;
const confusionsShown = 10;

/** The figures of the classifier, next to those of zero-shot classification if given; the classes; the confusions. */
export function evaluationTables(
  classNames: readonly string[],
  evaluation: Evaluation,
  zeroShot: Evaluation | null,
  { width, colors }: Terminal,
): string[] {
  const plain = classNames.map(printable);
  const nameWidth = Math.min(longestName, widest(plain));
  const names = plain.map((name) => fit(name, nameWidth));
  return [
    ...figures(evaluation, zeroShot, colors.bold),
    "",
    ...perClass(names, evaluation, colors.bold),
    "",
    ...confusions(names, evaluation, width, colors.bold),
  ];
}

type Paint = (text: string) => string;

function figures(evaluation: Evaluation, zeroShot: Evaluation | null, bold: Paint): string[] {
  const columns = zeroShot === null ? [evaluation] : [evaluation, zeroShot];
  const row = (title: string, value: (of: Evaluation) => number | undefined): string[] => [
    title,
    ...columns.map((of) => percent(value(of))),
  ];
  const titles = ["probe", "zero-shot"].slice(0, columns.length);
  const { head, rows } = layOutTable(
    [{}, ...titles.map((title) => ({ title, align: "right" as const }))],
    [
      row("accuracy", ({ acc1 }) => acc1),
      row("top-5 accuracy", ({ acc5 }) => acc5),
      row("mean per-class recall", ({ meanPerClassRecall }) => meanPerClassRecall),
      row("calibration error", ({ calibrationError }) => calibrationError),
    ],
  );
  return [bold(head), ...rows];
}

function perClass(names: readonly string[], { classes }: Evaluation, bold: Paint): string[] {
  const { head, rows } = layOutTable(
    [
      { title: "class" },
      { title: "examples", align: "right" },
      { title: "recall", align: "right" },
      { title: "precision", align: "right" },
    ],
    classes.map(({ examples, recall, precision }, c) => [
      names[c]!,
      `${examples}`,
      percent(recall),
      percent(precision),
    ]),
  );
  return [bold(head), ...rows];
}

/** The confusion matrix if it fits the terminal, otherwise the most frequent confusions. */
function confusions(
  names: readonly string[],
  { confusion }: Evaluation,
  width: number,
  bold: Paint,
): string[] {
  // A column takes four characters or more. Large matrices are not laid out at all.
  if (4 * names.length <= width) {
    const matrix = layOutTable(
      [{}, ...names.map((_, c) => ({ title: `${c + 1}`.padStart(3), align: "right" as const }))],
      confusion.map((row, c) => [names[c]!, ...names.map((_, predicted) => `${row.get(predicted) ?? "·"}`)]),
      { gap: 1 },
    );
    if (widest([matrix.head, ...matrix.rows]) <= width) {
      return [bold("rows: true class, columns: predicted class"), bold(matrix.head), ...matrix.rows];
    }
  }
  const frequent = confusion
    .flatMap((row, truth) => [...row].map(([predicted, count]) => ({ count, truth, predicted })))
    .filter(({ truth, predicted }) => truth !== predicted)
    .sort((a, b) => b.count - a.count || a.truth - b.truth || a.predicted - b.predicted)
    .slice(0, confusionsShown);
  const { head, rows } = layOutTable(
    [{ title: "count", align: "right" }, { title: "true class" }, { title: "predicted class" }],
    frequent.map(({ count, truth, predicted }) => [`${count}`, names[truth]!, names[predicted]!]),
  );
  return [bold("most frequent confusions"), bold(head), ...rows];
}
