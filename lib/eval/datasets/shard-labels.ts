/** The labels of a WebDataset's samples: a class, classes, or captions. */
import { InputError } from "../../errors/input-error.ts";
import { readNumpyVector } from "../numpy.ts";
import type { ShardSample } from "./shard-samples.ts";

/** The class of a sample. @throws InputError if it is not a whole number from 0 */
export function readClass({ bytes, label }: ShardSample): number {
  const text = new TextDecoder("latin1").decode(bytes).trim();
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InputError(
    `${label.name}: expected a class as a whole number from 0, found ${JSON.stringify(text.slice(0, 40))}`,
  );
}

/** The text of a sample. @throws InputError if it is not UTF-8 */
export function readText({ bytes, label }: ShardSample): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new InputError(`${label.name}: expected text in UTF-8, found other bytes`, [], { cause });
  }
}

/** The classes of a sample, from a vector of zeros and ones. @throws InputError for other values */
export function readPositives({ bytes, label }: ShardSample): {
  readonly positives: readonly number[];
  readonly classCount: number;
} {
  const values = readNumpyVector(bytes, label.name);
  const bad = values.findIndex((value) => value !== 0 && value !== 1);
  if (bad !== -1) {
    throw new InputError(`${label.name}: expected zeros and ones, found ${values[bad]} at position ${bad}`);
  }
  return { classCount: values.length, positives: [...values.keys()].filter((i) => values[i] === 1) };
}
