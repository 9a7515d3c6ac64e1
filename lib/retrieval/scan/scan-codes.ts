/** Scans int8 codes: the approximate scores of all rows that a mask admits. */
import { queriesAtOnce, rowsPerBlock, type CodeMemory } from "./kernel.ts";
import type { QuantisedQuery } from "./quantise.ts";
import { TopRows, type ScoredRow } from "./top-rows.ts";

/** Consecutive rows with their codes. */
export interface CodeSegment {
  /** The id of the first row. */
  readonly firstId: number;
  readonly rows: number;
  readonly memory: CodeMemory;
  /** Per row: vector ≈ scale · codes. */
  readonly scales: Float32Array;
  /** Per row: ‖vector − scale · codes‖. */
  readonly errors: Float32Array;
  /** The greatest norm of a vector. */
  readonly largestNorm: number;
}

/** What a scan looks for: the best k rows, or all whose exact score may be at least `min`. */
export type Wanted = { readonly k: number } | { readonly min: number };

/** A bitmap of the rows of an index: bit `id & 7` of byte `id >> 3`. Null admits all rows. */
export type Mask = Uint8Array | null;

/** @returns candidates of each query, in the order of their ids for `min`, best first for k; scores are approximate */
export function scanCodes(
  segments: Iterable<CodeSegment>,
  queries: readonly QuantisedQuery[],
  wanted: Wanted,
  mask: Mask,
): ScoredRow[][] {
  const found = queries.map(() => ("k" in wanted ? new TopRows(wanted.k) : []));
  for (const segment of segments) {
    for (let first = 0; first < queries.length; first += queriesAtOnce) {
      const some = queries.slice(first, first + queriesAtOnce);
      scanSegment(segment, some, wanted, mask, found.slice(first, first + queriesAtOnce));
    }
  }
  return found.map((rows) => (rows instanceof TopRows ? rows.rows() : rows));
}

function scanSegment(
  segment: CodeSegment,
  queries: readonly QuantisedQuery[],
  wanted: Wanted,
  mask: Mask,
  found: readonly (TopRows | ScoredRow[])[],
): void {
  const { memory, rows, firstId } = segment;
  const width = queries[0]!.codes.length;
  const joined = new Int16Array(queries.length * width);
  for (const [i, { codes }] of queries.entries()) joined.set(codes, i * width);
  memory.setQueries(joined);
  if (mask === null) for (let i = 0; i < rowsPerBlock; i++) memory.list[i] = i;
  for (let first = 0; first < rows; first += rowsPerBlock) {
    const most = Math.min(rowsPerBlock, rows - first);
    const count = mask === null ? most : listAdmitted(mask, firstId + first, most, memory.list);
    if (count === 0) continue;
    for (const [i, query] of queries.entries()) {
      const dots = memory.dots(i, first, count);
      const into = found[i]!;
      if (into instanceof TopRows) keepBest(segment, query, first, dots, count, into);
      else if ("min" in wanted) keepAll(segment, query, first, dots, count, wanted.min, into);
    }
  }
}

/** The admitted rows of a block, relative to its first one. */
function listAdmitted(mask: Uint8Array, firstId: number, rows: number, list: Int32Array): number {
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const id = firstId + row;
    const byte = mask[Math.floor(id / 8)] ?? 0;
    if (byte === 0) row += 7 - (id % 8);
    else if ((byte & (1 << (id % 8))) !== 0) list[count++] = row;
  }
  return count;
}

function keepBest(
  { memory, scales, firstId }: CodeSegment,
  { scale }: QuantisedQuery,
  first: number,
  dots: Int32Array,
  count: number,
  best: TopRows,
): void {
  const { list } = memory;
  let { floor } = best;
  for (let i = 0; i < count; i++) {
    const row = first + list[i]!;
    const score = dots[i]! * scales[row]! * scale;
    // Ids may come from several threads in any order, so equal scores are compared by the heap.
    if (score < floor) continue;
    best.add(firstId + row, score);
    ({ floor } = best);
  }
}

/** By Cauchy–Schwarz, |q · r − q̂ · r̂| ≤ ‖q‖ ‖r − r̂‖ + ‖q − q̂‖ ‖r̂‖: no row whose exact score reaches `min` is lost. */
function keepAll(
  { memory, scales, errors, firstId, largestNorm }: CodeSegment,
  { scale, error, norm }: QuantisedQuery,
  first: number,
  dots: Int32Array,
  count: number,
  min: number,
  into: ScoredRow[],
): void {
  const { list } = memory;
  // The last term is for the rounding of these numbers themselves.
  const slack = error * 2 * largestNorm + 1e-6 * norm * largestNorm;
  for (let i = 0; i < count; i++) {
    const row = first + list[i]!;
    const score = dots[i]! * scales[row]! * scale;
    if (score + norm * errors[row]! + slack >= min) into.push({ id: firstId + row, score });
  }
}
