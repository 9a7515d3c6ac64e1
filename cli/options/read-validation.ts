import { classCount, renumberLabels, type LabelledFeatures } from "../../lib/features/features.ts";
import { assertSameOrigin } from "../../lib/features/origin.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { readLabelledFeatures } from "./read-labelled-features.ts";

/**
 * The validation split, with the classes of the features; null without a file.
 *
 * @throws InputError for other classes, or features that were made otherwise
 */
export async function readValidation(
  features: LabelledFeatures,
  file: string | undefined,
  { stdin }: Terminal,
): Promise<LabelledFeatures | null> {
  if (file === undefined) return null;
  const validation = await readLabelledFeatures(file, { labelFile: undefined, stdin });
  assertSameOrigin(features.metadata, validation.metadata, validation.name, features.name);
  if (JSON.stringify(validation.classNames) !== JSON.stringify(features.classNames)) {
    throw new InputError(`${validation.name}: class names differ from those of ${features.name}`);
  }
  return renumberLabels(validation, { ...features, where: features.name, count: classCount(features) });
}
