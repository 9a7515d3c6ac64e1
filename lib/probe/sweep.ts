/** Chooses C by cross-validation. */
import { classificationMetrics } from "../tasks/metrics.ts";
import { InputError } from "../errors/input-error.ts";
import { selectRows, type LabelledFeatures } from "../features/features.ts";
import {
  fitLogisticRegression,
  rowsPerClass,
  type FittedRegression,
  type LogisticRegressionOptions,
} from "./logistic-regression.ts";
import { logitsOf } from "./probe.ts";

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
  const counts = rowsPerClass(features);
  const fewest = Math.min(...counts);
  if (fewest < 2) {
    const c = counts.indexOf(fewest);
    throw new InputError(
      `${features.name}: the class ${features.classNames?.[c] ?? c} has a single row, and cross-validation holds rows out; add examples or set C`,
    );
  }
  const used = Math.min(folds, fewest);
  const foldOf = assignFolds(features, used);
  const accuracies = sweptC.map((): number[] => []);
  for (let fold = 0; fold < used; fold++) {
    const train = selectRows(
      features,
      indicesWhere(foldOf, (of) => of !== fold),
    );
    const test = selectRows(
      features,
      indicesWhere(foldOf, (of) => of === fold),
    );
    let start: FittedRegression | undefined;
    for (const [i, C] of sweptC.entries()) {
      onFit?.(fold * sweptC.length + i, used * sweptC.length);
      // The minimum moves little from one C to the next.
      start = fitLogisticRegression(train, { ...fit, C, tolerance, ...(start && { start }) });
      const { acc1 } = classificationMetrics(logitsOf(start, test), test.labels, counts.length);
      accuracies[i]!.push(acc1);
    }
  }
  const rows = sweptC.map((C, i) => ({ C, ...meanAndDeviation(accuracies[i]!) }));
  const { C } = rows.reduce((best, row) => (row.accuracy > best.accuracy ? row : best));
  return { C, rows };
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

function indicesWhere(folds: readonly number[], is: (fold: number) => boolean): number[] {
  return folds.flatMap((fold, i) => (is(fold) ? [i] : []));
}

function meanAndDeviation(values: readonly number[]): { accuracy: number; deviation: number } {
  const accuracy = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - accuracy) ** 2, 0);
  return { accuracy, deviation: Math.sqrt(squares / values.length) };
}
