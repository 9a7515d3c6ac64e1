/** Features files with labels, which another file may replace. */
import { compareCodePoints } from "../../lib/features/code-points.ts";
import { checkLabels, requireLabels, type LabelledFeatures } from "../../lib/features/features.ts";
import { readFeatures } from "../../lib/node/features/features-files.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { inputName, readLines, type StandardInput } from "./read-lines.ts";

interface LabelSource {
  /** Class names, one per row of the features; "-" for standard input. Default: the labels of the features file. */
  readonly labelFile: string | undefined;
  readonly stdin: StandardInput;
  /** The classes that may occur. Default: all in the label file, sorted. */
  readonly known?: readonly string[];
}

/** @throws InputError if the labels are missing, or do not match the features */
export async function readLabelledFeatures(
  file: string,
  { labelFile, stdin, known }: LabelSource,
): Promise<LabelledFeatures> {
  const features = await readFeatures(file);
  if (labelFile === undefined) return requireLabels(features);
  const name = inputName(labelFile);
  const lines = (await readLines(labelFile, stdin)).map((line) => line.trim());
  const empty = lines.indexOf("");
  if (empty !== -1) throw new InputError(`${name}: line ${empty + 1} is empty, expected a class name`);
  const classNames = known ?? [...new Set(lines)].sort(compareCodePoints);
  const numbers = new Map(classNames.map((name, c) => [name, c]));
  const labels = lines.map((line, i) => {
    const label = numbers.get(line);
    if (label !== undefined) return label;
    throw new InputError(
      `${name}: line ${i + 1}: unknown class ${JSON.stringify(line)}, expected one of the probe's ${classNames.length} classes`,
    );
  });
  const labelled = { ...features, labels, classNames };
  checkLabels({ ...labelled, name: `${name} with ${file}` });
  return labelled;
}
