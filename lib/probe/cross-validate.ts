/** Cross-validation of a way to fit. */
import { InputError } from "../errors/input-error.ts";
import { describeClass, type LabelledFeatures } from "../features/features.ts";
import { smallestClass, stratifiedFolds } from "./folds.ts";
import { meanInterval, type Interval } from "./interval.ts";
import { rowsPerClass } from "./logistic-regression.ts";
import { accuracyOf } from "./logits.ts";
import type { Probe } from "./probe.ts";

/** The accuracies on the held-out folds, and their mean with its 95 % interval. */
export interface CrossValidation extends Interval {
  readonly accuracies: readonly number[];
}

/** @throws InputError if a class has fewer rows than there are folds */
export function assertFolds(features: LabelledFeatures, folds: number): void {
  const fewest = smallestClass(features);
  if (fewest >= folds) return;
  const c = rowsPerClass(features).indexOf(fewest);
  throw new InputError(
    `${features.name}: the class ${describeClass(features, c)} has ${fewest} rows, expected ${folds} or more for ` +
      `${folds} folds; use fewer folds or add examples`,
  );
}

/**
 * Fits on all folds but one, measures on that one, and repeats this for each fold. The interval is the one for folds,
 * which share training rows; see `meanInterval`.
 *
 * @param folds 2 or more
 * @param fit what is measured; everything that it chooses must come from the rows that it is given
 * @param onFold called before each fold
 * @throws InputError as `assertFolds` and `fit`
 */
export async function crossValidate(
  features: LabelledFeatures,
  folds: number,
  fit: (train: LabelledFeatures) => Probe | Promise<Probe>,
  onFold?: (fold: number) => void,
): Promise<CrossValidation> {
  assertFolds(features, folds);
  const accuracies: number[] = [];
  for (const { train, test } of stratifiedFolds(features, folds)) {
    onFold?.(accuracies.length);
    const probe = await fit(train);
    const held = probe.acceptLabelled(test);
    accuracies.push(accuracyOf(probe, held, { normalize: probe.normalizes(held) }));
  }
  return { accuracies, ...meanInterval(accuracies, 1 / folds) };
}
