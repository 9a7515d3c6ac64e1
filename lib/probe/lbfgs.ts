/**
 * L-BFGS for smooth convex functions.
 *
 * Direction: the two-loop recursion with the last m pairs of steps and gradient changes. Nocedal and Wright, "Numerical
 * Optimization", 2nd edition, algorithms 7.4 and 7.5. Step length: the Wolfe conditions; close to the minimum, where
 * rounding exceeds the differences of values, the approximate Wolfe conditions, which only use slopes. Hager and Zhang,
 * 2005 (SIAM J. Optim. 16(1)).
 */

/** Returns the value at x, and writes the gradient into `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  /** Stop when no component of the gradient exceeds this. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** The relative rounding error of the objective's values. */
  readonly precision: number;
  /** Where rounding prevents further descent, the search has converged if no component of the gradient exceeds this. */
  readonly acceptable: number;
  /** Receives each point before its step. The array is reused. */
  readonly onIteration?: (iteration: number, value: number, x: Float64Array) => void;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False if the search stopped at `maxIterations`, or by rounding where the gradient is still large. */
  readonly converged: boolean;
}

/** The number of pairs that are kept, scipy's default. */
const memory = 10;
/** After this many iterations without a smaller value or gradient, only rounding is left. */
const patience = 30;
/** The constants of the Wolfe conditions: sufficient decrease, and curvature. */
const decrease = 1e-4;
const curvature = 0.9;
const mostTrials = 30;

/** A point, and the objective there. The arrays are reused. */
interface Point {
  readonly x: Float64Array<ArrayBuffer>;
  readonly gradient: Float64Array<ArrayBuffer>;
  value: number;
}

/** A step and the change of the gradient, in float32: precise enough for a direction, in half the memory. */
interface Pair {
  readonly step: Float32Array;
  readonly change: Float32Array;
  product: number;
}

/**
 * Minimises from `start`, which is overwritten. Close to the minimum, rounding makes the search wander; the result is
 * the point with the smallest gradient.
 */
export function minimize(
  objective: Objective,
  start: Float64Array<ArrayBuffer>,
  { tolerance, maxIterations, precision, acceptable, onIteration }: LbfgsOptions,
): Minimum {
  const empty = (): Float64Array<ArrayBuffer> => new Float64Array(start.length);
  let here: Point = { x: start, gradient: empty(), value: NaN };
  let there: Point = { x: empty(), gradient: empty(), value: NaN };
  const direction = empty();
  const pairs: Pair[] = [];
  here.value = objective(here.x, here.gradient);
  let lowest = { value: here.value, gradient: largest(here.gradient), iteration: 0 };
  const best = { x: start.slice(), value: here.value, gradient: lowest.gradient };
  const stopped = (iterations: number): Minimum => {
    const { x, value, gradient } = best;
    return { x, value, iterations, converged: gradient <= acceptable };
  };
  for (let iteration = 0; ; iteration++) {
    const { x, value, gradient } = here;
    onIteration?.(iteration, value, x);
    const steepest = largest(gradient);
    if (steepest < best.gradient && value <= lowest.value + noise(value, precision)) {
      best.x.set(x);
      best.value = value;
      best.gradient = steepest;
    }
    const done = steepest <= tolerance;
    if (done || iteration === maxIterations) return { x, value, iterations: iteration, converged: done };
    if (value < lowest.value - noise(value, precision) || steepest < lowest.gradient) {
      lowest = { value, gradient: steepest, iteration };
    } else if (iteration - lowest.iteration >= patience) {
      return stopped(iteration);
    }

    descend(gradient, pairs, direction);
    if (dot(direction, gradient) >= 0) {
      // Not a descent direction, because of rounding: restart from the gradient.
      pairs.length = 0;
      descend(gradient, pairs, direction);
    }
    // Without pairs the scale is unknown: the first step has length 1 at most.
    const first = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    if (!lineSearch(objective, here, there, direction, first, precision)) {
      return stopped(iteration);
    }

    const oldest = pairs.length === memory ? pairs.shift() : undefined;
    const pair = oldest ?? {
      step: new Float32Array(start.length),
      change: new Float32Array(start.length),
      product: NaN,
    };
    subtract(there.x, x, pair.step);
    subtract(there.gradient, gradient, pair.change);
    pair.product = dot(pair.step, pair.change);
    if (pair.product > 0) pairs.push(pair);
    [here, there] = [there, here];
  }
}

/** direction ← −H · gradient, with H from the pairs: the two-loop recursion. */
function descend(gradient: Float64Array, pairs: readonly Pair[], direction: Float64Array): void {
  for (let i = 0; i < direction.length; i++) direction[i] = -gradient[i]!;
  const shares: number[] = [];
  for (const { step, change, product } of pairs.toReversed()) {
    const share = dot(step, direction) / product;
    addScaled(direction, change, -share);
    shares.push(share);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = last.product / dot(last.change, last.change);
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  for (const { step, change, product } of pairs) {
    const share = dot(change, direction) / product;
    addScaled(direction, step, shares.pop()! - share);
  }
}

/** Moves `to` to a point along the direction that satisfies the conditions; false if rounding hides every descent. */
function lineSearch(
  objective: Objective,
  from: Point,
  to: Point,
  direction: Float64Array,
  firstLength: number,
  precision: number,
): boolean {
  const slope = dot(direction, from.gradient);
  const rounding = noise(from.value, precision);
  let [low, lowSlope] = [0, slope];
  let [high, highSlope] = [Infinity, NaN];
  let length = firstLength;
  for (let trial = 0; trial < mostTrials; trial++) {
    to.x.set(from.x);
    addScaled(to.x, direction, length);
    to.value = objective(to.x, to.gradient);
    const slopeHere = dot(direction, to.gradient);
    const descends = to.value <= from.value + decrease * length * slope;
    const flattens = to.value <= from.value + rounding && slopeHere <= (2 * decrease - 1) * slope;
    if (!(descends || flattens)) {
      [high, highSlope] = [length, slopeHere];
    } else if (slopeHere < curvature * slope) {
      [low, lowSlope] = [length, slopeHere];
    } else {
      return true;
    }
    if (high === Infinity) {
      // Extrapolate to where the slope would be zero.
      const zero = (length * slope) / (slope - slopeHere);
      length = Math.min(Math.max(zero, 2 * length), 10 * length) || 2 * length;
      continue;
    }
    // Interpolate to where the slope would be zero, at some distance from both ends.
    const zero = low + ((high - low) * lowSlope) / (lowSlope - highSlope);
    const width = high - low;
    length = Number.isFinite(zero)
      ? Math.min(Math.max(zero, low + 0.1 * width), high - 0.1 * width)
      : low + 0.5 * width;
  }
  return false;
}

/** The absolute rounding error of a value. */
function noise(value: number, precision: number): number {
  return precision * Math.max(1, Math.abs(value));
}

type Floats = Float32Array | Float64Array;

function dot(a: Floats, b: Floats): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(to: Float64Array, what: Floats, scale: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += scale * what[i]!;
}

function subtract(a: Float64Array, b: Float64Array, to: Float32Array): void {
  for (let i = 0; i < to.length; i++) to[i] = a[i]! - b[i]!;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}
