/** How good a classifier is, as tables. */
import { type Evaluation } from "../../lib/probe/evaluate.ts";
import { fit, percent, printable, widest } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const longestName = 24;
const confusionsShown = 10;

/** The figures, with zero-shot's beside them if there are any; each class; the confusions. */
export function evaluationTables(
  classNames: readonly string[],
  evaluation: Evaluation,
  zeroShot: Evaluation | null,
  { width, colors }: Terminal,
): string[] {
  const names = classNames.map(printable);
  const nameWidth = Math.min(longestName, Math.max(widest(names), 5));
  return [
    ...figures(evaluation, zeroShot, colors.bold),
    "",
    ...perClass(names, nameWidth, evaluation, colors.bold),
    "",
    ...confusions(names, nameWidth, evaluation, width, colors.bold),
  ];
}

type Paint = (text: string) => string;

function figures(evaluation: Evaluation, zeroShot: Evaluation | null, bold: Paint): string[] {
  const columns = zeroShot === null ? [evaluation] : [evaluation, zeroShot];
  const row = (title: string, value: (of: Evaluation) => number | undefined): string =>
    fit(title, 22) + columns.map((of) => percent(value(of)).padStart(11)).join("");
  const titles = zeroShot === null ? ["probe"] : ["probe", "zero-shot"];
  return [
    bold(" ".repeat(22) + titles.map((title) => title.padStart(11)).join("")),
    row("accuracy", ({ acc1 }) => acc1),
    row("top-5 accuracy", ({ acc5 }) => acc5),
    row("mean per-class recall", ({ meanPerClassRecall }) => meanPerClassRecall),
    row("calibration error", ({ calibrationError }) => calibrationError),
  ];
}

function perClass(
  names: readonly string[],
  nameWidth: number,
  { classes }: Evaluation,
  bold: Paint,
): string[] {
  const rows = classes.map(
    ({ examples, recall, precision }, c) =>
      fit(names[c]!, nameWidth) +
      `${examples}`.padStart(10) +
      percent(recall).padStart(9) +
      percent(precision).padStart(11),
  );
  return [bold(`${fit("class", nameWidth)}  examples   recall  precision`), ...rows];
}

/** The matrix where it fits the terminal, else the commonest mistakes. */
function confusions(
  names: readonly string[],
  nameWidth: number,
  { confusion }: Evaluation,
  width: number,
  bold: Paint,
): string[] {
  const digits = Math.max(3, ...confusion.flat().map((count) => `${count}`.length)) + 1;
  if (nameWidth + names.length * digits <= width) {
    const numbers = names.map((_, c) => `${c + 1}`.padStart(digits)).join("");
    return [
      bold("right class by row, class given by column"),
      bold(" ".repeat(nameWidth) + numbers),
      ...confusion.map((row, c) => {
        const cells = row.map((count) => (count === 0 ? "·" : `${count}`).padStart(digits));
        return fit(names[c]!, nameWidth) + cells.join("");
      }),
    ];
  }
  const mistakes = confusion
    .flatMap((row, c) => row.map((count, given) => ({ count, c, given })))
    .filter(({ count, c, given }) => count > 0 && c !== given)
    .sort((a, b) => b.count - a.count);
  return [
    bold("commonest mistakes: right class, class given"),
    ...mistakes
      .slice(0, confusionsShown)
      .map(
        ({ count, c, given }) =>
          `${`${count}`.padStart(6)}  ${fit(names[c]!, nameWidth)}  ${fit(names[given]!, nameWidth).trimEnd()}`,
      ),
  ];
}
