/** Stratified folds: each class is distributed evenly. */
import { InputError } from "../errors/input-error.ts";
import { describeClass, selectRows, type LabelledFeatures } from "../features/features.ts";
import { rowsPerClass } from "./logistic-regression.ts";

/** Rows to fit on, and the held-out rows. */
export interface Fold {
  readonly train: LabelledFeatures;
  readonly test: LabelledFeatures;
}

/**
 * Splits features into folds, one at a time: the rows of each class are distributed evenly over the folds, in order.
 *
 * @param folds 2 or more
 * @throws InputError for a class without rows or with a single row, and as `rowsPerClass`
 */
export function* stratifiedFolds(
  features: LabelledFeatures,
  folds: number,
): Generator<Fold, void, undefined> {
  const foldOf = assignFolds(features, folds);
  const rowsWhere = (isChosen: (fold: number) => boolean): LabelledFeatures =>
    selectRows(
      features,
      foldOf.flatMap((fold, row) => (isChosen(fold) ? [row] : [])),
    );
  for (let fold = 0; fold < folds; fold++) {
    yield { train: rowsWhere((of) => of !== fold), test: rowsWhere((of) => of === fold) };
  }
}

/** The rows of the smallest class. @throws InputError if it is a single row, which cannot be both fitted and held out */
export function smallestClass(features: LabelledFeatures): number {
  const counts = rowsPerClass(features);
  const fewest = counts.reduce((least, count) => Math.min(least, count), Infinity);
  if (fewest >= 2) return fewest;
  throw new InputError(
    `${features.name}: the class ${describeClass(features, counts.indexOf(fewest))} has a single row, ` +
      "and cross-validation holds rows out; add examples, or do without cross-validation (set C)",
  );
}

/** The fold of each row. */
function assignFolds({ labels }: LabelledFeatures, folds: number): number[] {
  const next = new Map<number, number>();
  return labels.map((label) => {
    const fold = next.get(label) ?? label % folds;
    next.set(label, (fold + 1) % folds);
    return fold;
  });
}
