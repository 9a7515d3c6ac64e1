/** Class names from `--labels` or `--labels-file`. */
import type { Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { collect } from "./option-values.ts";
import { inputName, readLines, type StandardInput } from "./read-lines.ts";

export interface LabelOptions {
  readonly labels?: string[];
  readonly labelsFile?: string;
}

export function addLabelOptions(command: Command): Command {
  return command
    .option("--labels <list>", 'comma-separated class names: "cat,dog"', collect)
    .option("--labels-file <file>", "read class names from a file, one per line (- for standard input)");
}

/** @throws InputError if both options or none are given, or a label is empty */
export async function readLabels(
  { labels, labelsFile }: LabelOptions,
  stdin: StandardInput,
): Promise<string[]> {
  if ((labels === undefined) === (labelsFile === undefined)) {
    throw new InputError('expected class names in either --labels ("cat,dog") or --labels-file');
  }
  if (labelsFile !== undefined) {
    return trimmed(await readLines(labelsFile, stdin), `${inputName(labelsFile)}: line`);
  }
  const separate = labels!.flatMap((list) => list.split(","));
  return trimmed(separate, "--labels: label");
}

function trimmed(labels: readonly string[], where: string): string[] {
  return labels.map((label, i) => {
    if (label.trim() === "") throw new InputError(`${where} ${i + 1} is empty; remove it`);
    return label.trim();
  });
}
