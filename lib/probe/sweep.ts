/** Chooses C by cross-validation. */
import type { LabelledFeatures } from "../features/features.ts";
import { smallestClass, stratifiedFolds } from "./folds.ts";
import {
  fitLogisticRegression,
  type FittedRegression,
  type LogisticRegressionOptions,
} from "./logistic-regression.ts";
import { accuracyOf } from "./logits.ts";

/** Half powers of ten, including CLIP's 0.316. */
export const sweptC: readonly number[] = Array.from({ length: 13 }, (_, i) => 10 ** (i / 2 - 3));

/** Coarser than for a final fit: accuracies do not change close to the minimum. */
const tolerance = 1e-5;

/** The cross-validation accuracy of one C. */
export interface SweepRow {
  readonly C: number;
  /** The mean accuracy on the held-out folds. */
  readonly accuracy: number;
  /** Standard deviation over the folds. */
  readonly deviation: number;
}

/** The result of `sweepC`. */
export interface Sweep {
  /** The C with the best accuracy; of several the smallest, which regularises most. */
  readonly C: number;
  /** By C, ascending. */
  readonly rows: readonly SweepRow[];
  /** The number of fits. */
  readonly fits: number;
  /** How many of the fits stopped before the minimum. */
  readonly unfinished: number;
}

/** Options of `sweepC`. */
export interface SweepOptions extends Pick<
  LogisticRegressionOptions,
  "maxIterations" | "classWeight" | "precision"
> {
  /** Default: 5, or fewer where a class has fewer rows. */
  readonly folds?: number;
  /** Called before each fit. */
  readonly onFit?: (done: number, total: number) => void;
}

/**
 * Chooses C by stratified cross-validation: the rows of each class are distributed evenly over the folds, in order.
 *
 * @throws InputError as `fitLogisticRegression`, and if a class has a single row
 */
export function sweepC(features: LabelledFeatures, options: SweepOptions = {}): Sweep {
  const { folds = 5, onFit, ...fit } = options;
  const used = Math.min(folds, smallestClass(features));
  const accuracies = sweptC.map((): number[] => []);
  let unfinished = 0;
  let fold = 0;
  for (const { train, test } of stratifiedFolds(features, used)) {
    let start: FittedRegression | undefined;
    for (const [i, C] of sweptC.entries()) {
      onFit?.(fold * sweptC.length + i, used * sweptC.length);
      // The minimum moves little from one C to the next.
      start = fitLogisticRegression(train, { ...fit, C, tolerance, ...(start && { start }) });
      if (!start.converged) unfinished += 1;
      accuracies[i]!.push(accuracyOf(start, test));
    }
    fold += 1;
  }
  const rows = sweptC.map((C, i) => ({ C, ...meanAndDeviation(accuracies[i]!) }));
  const { C } = rows.reduce((best, row) => (row.accuracy > best.accuracy ? row : best));
  return { C, rows, fits: used * sweptC.length, unfinished };
}

function meanAndDeviation(values: readonly number[]): { accuracy: number; deviation: number } {
  const accuracy = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - accuracy) ** 2, 0);
  return { accuracy, deviation: Math.sqrt(squares / values.length) };
}
