/** The options of a query, and their checks. */
import { InputError } from "../../errors/input-error.ts";
import { sides, type Side } from "../../retrieval/layout.ts";
import type { LoadModel } from "./query-vectors.ts";

/** Which rows are results, and what is searched. */
export interface QueryOptions {
  /** Embeds the texts and images of a query. Called only if a query has them. */
  readonly model?: LoadModel;
  /** What is searched: the vectors of images (default) or of captions. */
  readonly side?: Side;
  /** Results, at most: a whole number above 0. Default: 10, or with `min` all. */
  readonly top?: number;
  /** Results are at least this similar: a cosine, -1 to 1, for vectors of norm 1. */
  readonly min?: number;
  /** A condition on the metadata in SQL's syntax, such as `width >= 512 AND caption LIKE '%cat%'`. */
  readonly where?: string;
  /** Leave out results at least this similar to a better one, such as 0.94. */
  readonly dedup?: number;
  /** 0 to 1: how much results should differ from each other (maximal marginal relevance). Default: 0. */
  readonly diversity?: number;
}

/** Options with their defaults. */
export interface CheckedOptions extends Omit<QueryOptions, "model"> {
  readonly side: Side;
  /** Infinity for all rows. */
  readonly top: number;
}

const defaultTop = 10;

/** @throws InputError for a value outside its range */
export function checkedOptions(options: Omit<QueryOptions, "model">): CheckedOptions {
  const { side = "image", min, dedup, diversity } = options;
  const top = options.top ?? (min === undefined ? defaultTop : Infinity);
  if (!sides.includes(side)) throw outside("side", 'expected "image" or "text"', side);
  const isWhole = Number.isSafeInteger(top) && top > 0;
  if (!isWhole && top !== Infinity) throw outside("top", "expected a whole number above 0", top);
  for (const [name, value] of Object.entries({ min, dedup }))
    if (value !== undefined && !Number.isFinite(value))
      throw outside(name, "expected a finite number", value);
  if (diversity !== undefined && !(diversity >= 0 && diversity <= 1))
    throw outside("diversity", "expected a number from 0 to 1", diversity);
  return { ...options, side, top };
}

function outside(name: string, expected: string, found: unknown): InputError {
  return new InputError(`query: ${name}: ${expected}, found ${String(found)}`);
}
