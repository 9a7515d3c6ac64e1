import { InputError } from "../errors/input-error.ts";

/** @throws InputError for NaN and infinities, which have no order and would look like results */
export function assertFinite(scores: Iterable<number>): void {
  for (const score of scores) {
    if (!Number.isFinite(score)) {
      throw new InputError(
        `expected finite scores, found ${score}: the model's weights are damaged (download them again) or overflow float32`,
      );
    }
  }
}
