/**
 * Logistic regression with scikit-learn's objective: min over W, b of C · Σ_i s_i · loss_i + ½ ‖W‖². The intercept b is
 * not penalised.
 *
 * More than two classes are one softmax. For two classes scikit-learn has one row w, with p = σ(w·x). A softmax with the
 * rows ∓w/2 gives the same if the penalty ½ ‖W‖² = ¼ ‖w‖² is doubled.
 *
 * Paper: Radford et al., 2021 (arXiv 2103.00020), appendix A.3: `LogisticRegression(C=0.316, max_iter=1000)`.
 * Source: scikit-learn, linear_model/_logistic.py and _linear_loss.py.
 */
import { InputError } from "../errors/input-error.ts";
import { checkLabels, classCount, describeClass, type LabelledFeatures } from "../features/features.ts";
import { minimize } from "./lbfgs.ts";
import { SoftmaxLoss, type Precision } from "./softmax-loss.ts";

/** Options of `fitLogisticRegression`. */
export interface LogisticRegressionOptions {
  /** Inverse of the penalty's strength. Default: 0.316, CLIP's. */
  readonly C?: number;
  /** Default: 1000. */
  readonly maxIterations?: number;
  /** Stop when no component of the gradient of the mean loss exceeds this. Default: 1e-8, about what float32 allows. */
  readonly tolerance?: number;
  /** `balanced`: each class has the same total weight. Default: each row has the same weight. */
  readonly classWeight?: "balanced";
  /** Where to start. Default: at 0. */
  readonly start?: LinearClassifier;
  /** As for `SoftmaxLoss`. */
  readonly precision?: Precision;
  readonly onIteration?: (iteration: number, step: FitStep) => void;
}

/** Where a fit is. */
export interface FitStep {
  /** The objective, divided by the total weight of the rows. */
  readonly loss: number;
  readonly classifier: () => LinearClassifier;
}

/** logits = W x + b */
export interface LinearClassifier {
  /** [classes, width] in row-major order */
  readonly weight: Float64Array;
  /** [classes] */
  readonly bias: Float64Array;
}

export interface FittedRegression extends LinearClassifier {
  readonly iterations: number;
  /** False if the fit stopped before the minimum: at `maxIterations`, or because float32 is not precise enough. */
  readonly converged: boolean;
}

/** The CLIP paper's C. */
export const clipC = 0.316;

/** Larger features would overflow float32 in sums over rows, and their weights would underflow. */
const largestFeature = 1e30;

/** The largest gradient at which a fit that is stopped by rounding has converged; scikit-learn's default is 1e-4. */
const acceptableGradient = 1e-5;

/**
 * Fits to the minimum. Large problems are computed on the current backend; see `SoftmaxLoss`.
 *
 * @throws InputError for a single class, a class without rows, or features beyond 1e30
 */
export function fitLogisticRegression(
  features: LabelledFeatures,
  options: LogisticRegressionOptions = {},
): FittedRegression {
  const {
    C = clipC,
    maxIterations = 1000,
    tolerance = 1e-8,
    classWeight,
    start,
    precision,
    onIteration,
  } = options;
  const { labels, rows, width } = features;
  const counts = rowsPerClass(features);
  const classes = counts.length;
  assertMagnitude(features);
  // Centred features make the problem far better conditioned; the intercept compensates for the shift.
  const origin = columnMeans(features);
  const rowWeights =
    classWeight === undefined
      ? undefined
      : Float64Array.from(labels, (label) => rows / (classes * counts[label]!));
  const total = rowWeights?.reduce((sum, weight) => sum + weight, 0) ?? rows;
  const loss = new SoftmaxLoss(features, labels, classes, {
    origin,
    ...(rowWeights && { rowWeights }),
    ...(precision && { precision }),
  });
  const penalty = (classes === 2 ? 2 : 1) / C;
  const weights = classes * width;
  const scales = parameterScales(features, origin, classes, penalty);
  const parameters = new Float64Array(loss.parameters);

  // Divided by the total weight of the rows, as in scikit-learn, so that the tolerance does not depend on their number.
  const objective = (scaled: Float64Array, gradient: Float64Array): number => {
    for (let i = 0; i < scaled.length; i++) parameters[i] = scaled[i]! * scales[i]!;
    const value = loss.evaluate(parameters, gradient);
    let squares = 0;
    for (let i = 0; i < weights; i++) {
      const weight = parameters[i]!;
      squares += weight * weight;
      gradient[i]! += penalty * weight;
    }
    for (let i = 0; i < gradient.length; i++) gradient[i]! *= scales[i]! / total;
    return (value + (penalty / 2) * squares) / total;
  };
  const classifierAt = (x: Float64Array): LinearClassifier => {
    const unscaled = x.map((value, i) => value * scales[i]!);
    const weight = unscaled.subarray(0, weights);
    return { weight, bias: shifted(weight, unscaled.subarray(weights), origin, -1) };
  };
  const begin = startParameters(loss, start, origin);
  for (let i = 0; i < begin.length; i++) begin[i]! /= scales[i]!;
  const {
    x: scaled,
    iterations,
    converged,
  } = minimize(objective, begin, {
    tolerance,
    maxIterations,
    precision: loss.precision === "float64" ? 1e-14 : 1e-8,
    acceptable: Math.max(tolerance, acceptableGradient),
    ...(onIteration && {
      onIteration: (iteration, loss, x) => {
        onIteration(iteration, { loss, classifier: () => classifierAt(x) });
      },
    }),
  });
  return { ...classifierAt(scaled), iterations, converged };
}

/** How many rows each class has. @throws InputError for a single class, or a class without rows */
export function rowsPerClass(features: LabelledFeatures): number[] {
  const { name, labels, rows } = features;
  checkLabels(features);
  const classes = classCount(features);
  if (classes < 2) {
    throw new InputError(
      `${name}: all ${rows} rows are of the class ${describeClass(features, 0)}; expected two classes or more`,
    );
  }
  // A map: labels that `requireLabels` has not numbered can be too large for an array.
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const missing = classes - counts.size;
  if (missing > 0) {
    const named: string[] = [];
    for (let c = 0; named.length < Math.min(missing, 5); c++) {
      if (!counts.has(c)) named.push(describeClass(features, c));
    }
    throw new InputError(
      `${name}: ${missing} of the ${classes} classes have no rows among the ${rows} (${named.join(", ")}` +
        `${missing > 5 ? ", …" : ""}); add examples or remove the classes`,
    );
  }
  return Array.from({ length: classes }, (_, c) => counts.get(c)!);
}

function assertMagnitude({ name, values, width }: LabelledFeatures): void {
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]!) <= largestFeature) continue;
    throw new InputError(
      `${name}: row ${Math.floor(i / width)} of the features holds ${values[i]}, expected numbers up to ${largestFeature}, ` +
        "which a fit in float32 can represent; divide the features by a constant, or embed with --normalize",
    );
  }
}

function columnMeans({ values, rows, width }: LabelledFeatures): Float32Array {
  const sums = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) sums[i]! += values[row * width + i]!;
  }
  return Float32Array.from(sums, (sum) => sum / rows);
}

/**
 * A scale for each parameter that makes the curvature similar in all directions: 1/√ of the objective's curvature at 0.
 * Without it, columns of different scales cost many iterations, and in float32 precision. The scaled problem does not
 * depend on the unit of the features, so the tolerance means the same for features of any size.
 */
function parameterScales(
  { values, rows, width }: LabelledFeatures,
  origin: Float32Array,
  classes: number,
  penalty: number,
): Float64Array {
  const squares = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) squares[i]! += (values[row * width + i]! - origin[i]!) ** 2;
  }
  const atZero = (1 / classes) * (1 - 1 / classes);
  const largest = squares.reduce((a, b) => Math.max(a, b), 0);
  // Of the intercept; larger where the penalty dominates the data, so that small weights are found as precisely.
  const curvature = atZero * rows * Math.max(1, Math.min(penalty / (atZero * largest), 1e6));
  const ofWeights = squares.map((square) => Math.sqrt(curvature / (atZero * square + penalty)));
  const scales = new Float64Array(classes * (width + 1)).fill(Math.sqrt(curvature / (atZero * rows)));
  for (let c = 0; c < classes; c++) scales.set(ofWeights, c * width);
  return scales;
}

function startParameters(
  loss: SoftmaxLoss,
  start: LinearClassifier | undefined,
  origin: Float32Array,
): Float64Array<ArrayBuffer> {
  const parameters = new Float64Array(loss.parameters);
  if (start === undefined) return parameters;
  parameters.set(start.weight);
  parameters.set(shifted(start.weight, start.bias, origin, 1), start.weight.length);
  return parameters;
}

/** bias + sign · W · origin */
function shifted(weight: Float64Array, bias: Float64Array, origin: Float32Array, sign: 1 | -1): Float64Array {
  return bias.map((value, c) =>
    origin.reduce((sum, at, i) => sum + sign * weight[c * origin.length + i]! * at, value),
  );
}
