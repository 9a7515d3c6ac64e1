import {
  abs,
  div,
  lessEqual,
  max,
  maximum,
  ones,
  sqrt,
  square,
  sub,
  sum,
  tidy,
  where,
  type Tensor2D,
} from "@tensorflow/tfjs-core";

/**
 * x / max(‖x‖₂, 1e-12) of each row, so that rows of zeros stay zeros.
 *
 * Source: torch.nn.functional.normalize.
 * @param x [B, D]
 * @returns [B, D]; the caller disposes it
 */
export function l2Normalize(x: Tensor2D): Tensor2D {
  return tidy(() => div(x, maximum(sqrt(sum(square(x), -1, true)), 1e-12)));
}

/** Beyond the rounding of a float32 norm of some thousand numbers. */
const unitTolerance = 1e-4;

/**
 * Rows as directions: rows of norm 1 keep every bit, other rows are divided by their norm. Rows of any scale are
 * normalised, also where their squares would overflow or underflow; rows of zeros stay zeros.
 *
 * @param x [B, D]
 * @returns [B, D]; the caller disposes it
 */
export function unitRows(x: Tensor2D): Tensor2D {
  return tidy(() => {
    const norm = sqrt(sum(square(x), -1, true)); // [B, 1]
    const isUnit = lessEqual(abs(sub(norm, 1)), unitTolerance); // [B, 1]
    const one = ones([x.shape[0], 1]);
    const largest = max(abs(x), -1, true); // [B, 1]
    const scaled = div(x, where(isUnit, one, maximum(largest, smallestNormal))); // numbers up to 1
    const scaledNorm = sqrt(sum(square(scaled), -1, true));
    return div(scaled, where(isUnit, one, maximum(scaledNorm, smallestNormal)));
  });
}

/** Of float32. */
const smallestNormal = 2 ** -126;
