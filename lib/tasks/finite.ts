import { InputError } from "../errors/input-error.ts";

/** @throws InputError for NaN and infinities, which would be ranked somewhere and shown as if they were results */
export function assertFinite(scores: Iterable<number>): void {
  for (const score of scores) {
    if (!Number.isFinite(score)) {
      throw new InputError(
        `the network's scores hold ${score}: its weights are damaged (download them again) or overflow float32`,
      );
    }
  }
}
