/**
 * L-BFGS for smooth convex functions.
 *
 * Direction: the two-loop recursion with the last m pairs of steps and gradient changes. Nocedal and Wright, "Numerical
 * Optimization", 2nd edition, algorithms 7.4 and 7.5. Step: the Wolfe conditions, or close to the minimum, where the
 * differences of values drown in rounding, the approximate ones of Hager and Zhang, 2005 (SIAM J. Optim. 16(1)),
 * which look at slopes alone.
 */

/** A function's value at x; its gradient is written into `gradient`. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface LbfgsOptions {
  /** Stop when the largest component of the gradient is below this. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Relative rounding error of the function's values. */
  readonly precision: number;
  readonly onIteration?: (iteration: number) => void;
}

export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False where the iterations ran out first. */
  readonly converged: boolean;
}

/** Pairs that are kept, as in scipy's default. */
const memory = 10;
/** So many iterations without a smaller value or gradient are rounding, not descent. */
const patience = 30;
/** Wolfe's constants: enough decrease, and enough of the slope gone. */
const decrease = 1e-4;
const curvature = 0.9;
const mostTrials = 30;

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

/** Minimises from `start`. Ends early, converged, where rounding allows no further descent. */
export function minimize(
  objective: Objective,
  start: Float64Array,
  { tolerance, maxIterations, precision, onIteration }: LbfgsOptions,
): Minimum {
  let x = Float64Array.from(start);
  let gradient = new Float64Array(x.length);
  let value = objective(x, gradient);
  const pairs: Pair[] = [];
  let lowest = { value, gradient: largest(gradient), iteration: 0 };
  for (let iteration = 0; ; iteration++) {
    onIteration?.(iteration);
    const done = largest(gradient) <= tolerance;
    if (done || iteration === maxIterations) return { x, value, iterations: iteration, converged: done };
    if (value < lowest.value - noise(value, precision) || largest(gradient) < lowest.gradient) {
      lowest = { value, gradient: largest(gradient), iteration };
    } else if (iteration - lowest.iteration >= patience) {
      return { x, value, iterations: iteration, converged: true };
    }

    let direction = descent(gradient, pairs);
    if (dot(direction, gradient) >= 0) {
      // Rounding spoilt the memory: begin again from the gradient.
      pairs.length = 0;
      direction = descent(gradient, pairs);
    }
    // The first step, of which nothing is known, has length 1 at most.
    const first = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    const next = lineSearch(objective, { x, value, gradient }, direction, first, precision);
    if (next === null) return { x, value, iterations: iteration, converged: true };

    const step = difference(next.x, x);
    const change = difference(next.gradient, gradient);
    const product = dot(step, change);
    if (product > 0) pairs.push({ step, change, product });
    if (pairs.length > memory) pairs.shift();
    ({ x, value, gradient } = next);
  }
}

/** −H · gradient, with H from the pairs: the two-loop recursion. */
function descent(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  const direction = gradient.map((component) => -component);
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
  return direction;
}

interface Point {
  readonly x: Float64Array<ArrayBuffer>;
  readonly value: number;
  readonly gradient: Float64Array<ArrayBuffer>;
}

/** A point along the direction that satisfies the conditions; null where rounding hides every descent. */
function lineSearch(
  objective: Objective,
  from: Point,
  direction: Float64Array,
  firstLength: number,
  precision: number,
): Point | null {
  const slope = dot(direction, from.gradient);
  const rounding = noise(from.value, precision);
  let [low, lowSlope] = [0, slope];
  let [high, highSlope] = [Infinity, NaN];
  let length = firstLength;
  for (let trial = 0; trial < mostTrials; trial++) {
    const x = Float64Array.from(from.x);
    addScaled(x, direction, length);
    const gradient = new Float64Array(x.length);
    const value = objective(x, gradient);
    const slopeHere = dot(direction, gradient);
    const descends = value <= from.value + decrease * length * slope;
    const flattens = value <= from.value + rounding && slopeHere <= (2 * decrease - 1) * slope;
    if (!(descends || flattens)) {
      [high, highSlope] = [length, slopeHere];
    } else if (slopeHere < curvature * slope) {
      [low, lowSlope] = [length, slopeHere];
    } else {
      return { x, value, gradient };
    }
    if (high === Infinity) {
      length *= 2;
      continue;
    }
    // Where the slopes at both ends meet zero, kept off the ends; a convex function's slope rises.
    const zero = low + ((high - low) * lowSlope) / (lowSlope - highSlope);
    const width = high - low;
    length = Number.isFinite(zero)
      ? Math.min(Math.max(zero, low + 0.1 * width), high - 0.1 * width)
      : low + 0.5 * width;
  }
  return null;
}

/** How far a value may be off by rounding. */
function noise(value: number, precision: number): number {
  return precision * Math.max(1, Math.abs(value));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(to: Float64Array, what: Float64Array, scale: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += scale * what[i]!;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
