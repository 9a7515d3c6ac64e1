import { div, maximum, sqrt, square, sum, tidy, type Tensor2D } from "@tensorflow/tfjs-core";

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
