/** Features with the labels that a person gives. */
import {
  checkLabels,
  readFeatures,
  requireLabels,
  type LabelledFeatures,
} from "../../lib/features/features.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { readLines } from "./text-file.ts";

/**
 * Features with their own labels, or those of a file: the name of a class a line, a line for each row.
 *
 * @param known the classes that there are; default: all in the file, by name
 * @throws InputError if there are no labels, or they do not match
 */
export async function readLabelled(
  file: string,
  labelFile: string | undefined,
  known?: readonly string[],
): Promise<LabelledFeatures> {
  const features = await readFeatures(file);
  if (labelFile === undefined) return requireLabels(features);
  const lines = (await readLines(labelFile)).map((line) => line.trim());
  const empty = lines.indexOf("");
  if (empty !== -1) throw new InputError(`${labelFile}: line ${empty + 1} is empty, expected a class`);
  const sorted = [...new Set(lines)].sort((a, b) => (a < b ? -1 : 1));
  const classNames = known ?? sorted;
  const labels = lines.map((line, i) => {
    const label = classNames.indexOf(line);
    if (label !== -1) return label;
    throw new InputError(
      `${labelFile}: line ${i + 1}: no class ${JSON.stringify(line)} among the ${classNames.length}`,
    );
  });
  const labelled = { ...features, labels, classNames };
  checkLabels({ ...labelled, name: `${labelFile} with ${file}` });
  return labelled;
}
