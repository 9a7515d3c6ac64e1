/** Class names from the command line. */
import { Option } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { collect } from "./options.ts";
import { readLines } from "./text-file.ts";

export interface LabelOptions {
  readonly labels?: string[];
  readonly labelsFile?: string;
}

export function labelsOption(): Option {
  return new Option("--labels <list>", 'the classes, separated by commas: "cat,dog"').argParser(collect);
}

export function labelsFileOption(): Option {
  return new Option("--labels-file <file>", "the classes, one a line");
}

/** @throws InputError for both options, none, or an empty label */
export async function readLabels({ labels, labelsFile }: LabelOptions): Promise<string[]> {
  if ((labels === undefined) === (labelsFile === undefined)) {
    throw new InputError('expected the classes in --labels ("cat,dog") or in --labels-file, one of the two');
  }
  if (labelsFile === undefined)
    return trimmed(
      labels!.flatMap((list) => list.split(",")),
      "--labels: label",
    );
  return trimmed(await readLines(labelsFile), `${labelsFile}: line`);
}

function trimmed(labels: readonly string[], where: string): string[] {
  return labels.map((label, i) => {
    if (label.trim() === "") throw new InputError(`${where} ${i + 1} is empty; take it out`);
    return label.trim();
  });
}
