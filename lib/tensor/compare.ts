/** The distance between two tensors. */

export interface Comparison {
  /** ‖ours − reference‖ / ‖reference‖ over all values (Frobenius norms); 0 where both are zero. */
  readonly relativeL2: number;
  /** Largest |ours − reference|. */
  readonly maxAbs: number;
  /** Cosine of the angle between the two, as flat vectors; 1 where both are zero. */
  readonly cosine: number;
  /** Flat index of the value that gives `maxAbs`. */
  readonly worstIndex: number;
}

/**
 * Compares flat values, summing in float64. A NaN or an infinity on one side only makes all figures NaN or infinite, so
 * that no tolerance accepts it.
 *
 * @throws RangeError if the two differ in length
 */
export function compare(ours: ArrayLike<number>, reference: ArrayLike<number>): Comparison {
  if (ours.length !== reference.length) {
    throw new RangeError(`cannot compare ${ours.length} values with ${reference.length}`);
  }
  let squaredError = 0;
  let squaredOurs = 0;
  let squaredReference = 0;
  let product = 0;
  let maxAbs = 0;
  let worstIndex = 0;
  for (let i = 0; i < ours.length; i++) {
    const a = ours[i] ?? NaN;
    const b = reference[i] ?? NaN;
    const error = Math.abs(a - b);
    squaredError += error * error;
    squaredOurs += a * a;
    squaredReference += b * b;
    product += a * b;
    // `!(a <= b)` is also true for NaN: the first NaN is kept.
    if (!(error <= maxAbs) && !Number.isNaN(maxAbs)) {
      maxAbs = error;
      worstIndex = i;
    }
  }
  const same = squaredError === 0;
  return {
    relativeL2: same ? 0 : Math.sqrt(squaredError / squaredReference),
    maxAbs,
    cosine: same ? 1 : product / Math.sqrt(squaredOurs * squaredReference),
    worstIndex,
  };
}

/** Turns a flat index into a position in a shape: `unravel(5, [2, 3])` is `[1, 2]`. */
export function unravel(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  for (const size of shape.toReversed()) {
    position.unshift(index % size);
    index = Math.floor(index / size);
  }
  return position;
}
