/** Chooses results that differ from each other among the best rows. */
import { setImmediate } from "node:timers/promises";
import { InputError } from "../../errors/input-error.ts";
import { DistinctRows, maximalMarginalRelevance } from "../../retrieval/diversity.ts";
import type { ScoredRow } from "../../retrieval/scan/top-rows.ts";
import type { CheckedOptions } from "./query-options.ts";
import type { SearchedIndex } from "./searched-index.ts";

/** Results that are compared with each other, at most: the time grows with the square, to seconds here. */
const mostCompared = 10_000;

/** The same for results that are reordered, whose products are all computed. */
const mostReordered = 5000;

/** Rows that are compared before other work of the process has its turn. */
const rowsAtOnce = 64;

/** Rows among which maximal marginal relevance chooses, per result. */
const poolPerResult = 4;

/**
 * The best rows, or those that differ from each other among as many of the best as it takes.
 *
 * @param best gives the best `count` rows, or all if there are fewer
 * @throws InputError as `chooseRows`
 */
export async function rankDistinct(
  index: Pick<SearchedIndex, "readRows" | "width">,
  options: CheckedOptions,
  best: (count: number) => Promise<ScoredRow[]>,
  signal?: AbortSignal,
): Promise<ScoredRow[]> {
  const { top, dedup, diversity } = options;
  if (dedup === undefined && diversity === undefined) return best(top);
  // Results that are left out for others are replaced by more candidates.
  for (let pool = poolPerResult * top; ; pool *= poolPerResult) {
    const rows = await best(pool);
    const chosen = await chooseRows(index, rows, options, signal);
    if (chosen.length >= top || rows.length < pool) return chosen;
  }
}

/**
 * Leaves out near-duplicates, then reorders by maximal marginal relevance, as far as the options say.
 *
 * @param rows best first
 * @returns at most `top` of them
 * @throws InputError if more results would be compared with each other than is feasible; the signal's reason
 */
export async function chooseRows(
  index: Pick<SearchedIndex, "readRows" | "width">,
  rows: readonly ScoredRow[],
  { top, side, dedup, diversity }: CheckedOptions,
  signal?: AbortSignal,
): Promise<ScoredRow[]> {
  const { width } = index;
  const limit = diversity === undefined ? mostCompared : mostReordered;
  const most = diversity === undefined ? top : Math.max(top, Math.min(poolPerResult * top, limit));
  // No product reaches infinity: without `dedup` all rows are distinct.
  const distinct = new DistinctRows(width, dedup ?? Infinity);
  const kept: ScoredRow[] = [];
  for (let start = 0; start < rows.length && kept.length < most; start += rowsAtOnce) {
    if (start > 0) await setImmediate();
    signal?.throwIfAborted();
    const some = rows.slice(start, start + rowsAtOnce);
    const vectors = await index.readRows(
      some.map(({ id }) => id),
      side,
    );
    for (let i = 0; i < some.length && kept.length < most; i++) {
      if (!distinct.add(vectors, i)) continue;
      if (kept.push(some[i]!) > limit) throw tooMany(top, limit);
    }
  }
  if (diversity === undefined) return kept;
  const scores = kept.map(({ score }) => score);
  const count = Math.min(top, kept.length);
  return maximalMarginalRelevance(scores, distinct.vectors, width, count, diversity).map(
    (place) => kept[place]!,
  );
}

function tooMany(top: number, limit: number): InputError {
  const found = top === Infinity ? "more" : `top ${top}`;
  return new InputError(
    `query: dedup and diversity compare at most ${limit} rows with each other, found ${found}; lower top, or raise min`,
  );
}
