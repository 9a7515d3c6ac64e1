/** A finished batch of inputs, as the journal of an embedding keeps it. */
import type { JsonValue } from "../json/json-value.ts";
import { base64Size, isBase64 } from "./base64.ts";

/** A batch in the journal. */
export interface EmbedPiece {
  /** How many inputs are done after this batch, including those that cannot be read. */
  readonly done: number;
  /** The inputs that have a row, in their order. */
  readonly embedded: readonly number[];
  /** The errors of the others. */
  readonly failed: readonly string[];
  /** float32 [embedded, width] in base64, for each tap */
  readonly features: readonly string[];
}

/** The number of features in each row, for each tap. */
export function widthsOf({ features, embedded }: EmbedPiece): number[] {
  return features.map((values) => base64Size(values) / 4 / embedded.length);
}

/**
 * Reads the batch that follows another one.
 *
 * @param previous null for the first batch
 * @param inputs their number
 * @param taps their number
 * @throws InputError if it is not that batch
 */
export function readEmbedPiece(
  value: JsonValue,
  previous: EmbedPiece | null,
  inputs: number,
  taps: number,
): EmbedPiece {
  const before = previous?.done ?? 0;
  const widths = previous && widthsOf(previous);
  const piece = {
    done: value.at("done").integer(before + 1, inputs),
    embedded: value.at("embedded").integers(before),
    failed: value.at("failed").strings(),
    features: value.at("features").strings(),
  };
  const { done, embedded, failed, features } = piece;
  if (embedded.length + failed.length !== done - before) {
    throw value.at("done").error(`${before + embedded.length + failed.length}, after ${before} inputs`);
  }
  if (!embedded.every((input, i) => input < done && input > (embedded[i - 1] ?? -1))) {
    throw value.at("embedded").error(`inputs from ${before} to ${done - 1} in their order`);
  }
  const found = widthsOf(piece);
  const areWhole = found.every(
    (width, i) => width === (widths?.[i] ?? width) && Number.isInteger(width) && width > 0,
  );
  if (features.length !== taps || !features.every(isBase64) || !areWhole) {
    throw value.at("features").error(`the rows of ${taps} taps in base64`);
  }
  return piece;
}
