/** Prepares the scan of all pairs of an index's rows: reduces them to as few dimensions as pays. */
import {
  principalBasis,
  reduceRow,
  reductionOf,
  type Reduction,
} from "../../../retrieval/duplicates/reduction.ts";
import { PairScan } from "../../../retrieval/duplicates/pair-scan.ts";
import type { Side } from "../../../retrieval/layout.ts";
import { scanKernel } from "../scan/scan-kernel.ts";
import { admittedBlocks } from "../clusters/admitted-blocks.ts";
import type { ComputedIndex } from "../searched-index.ts";

/** Rows from which the reduction is learnt. */
const sampleRows = 1024;

/** Fewer rows are compared in all their dimensions at once. */
const fewestReduced = 2048;

/** Dimensions that are tried, one of them for what the others leave. */
const reducedWidths = [64, 128, 256];

/**
 * What a candidate costs, whose vector is read, in products of codes: 5 µs against 13 products a nanosecond, measured
 * with 1,024 numbers a row.
 */
const costOfCandidate = 65_000;

/** Rounding to float32 moves a reduced row by less than this. */
const slack = 1e-6;

/**
 * The codes of rows, for `PairScan.scan`.
 *
 * @param ids ascending
 * @throws InputError for vectors with numbers that are not finite
 */
export async function pairScanOf(
  index: ComputedIndex,
  ids: Float64Array,
  side: Side,
  threshold: number,
): Promise<PairScan> {
  const reduction = await chooseReduction(index, ids, side, threshold);
  const scan = new PairScan(scanKernel("auto"), ids.length, reduction?.width ?? index.width);
  const reduced = new Float32Array(reduction?.width ?? 0);
  for await (const { values } of admittedBlocks(index, ids, side)) {
    for (let at = 0; at < values.length; at += index.width) {
      const row = values.subarray(at, at + index.width);
      if (reduction === null) scan.add(row);
      else {
        reduceRow(reduction, row, reduced);
        scan.add(reduced, slack);
      }
    }
  }
  return scan;
}

/** @returns null if all dimensions are cheaper */
async function chooseReduction(
  index: ComputedIndex,
  ids: Float64Array,
  side: Side,
  threshold: number,
): Promise<Reduction | null> {
  const { width } = index;
  if (ids.length < fewestReduced || width <= reducedWidths[0]!) return null;
  const count = Math.min(sampleRows, ids.length);
  const sample = await index.readRows(
    Array.from({ length: count }, (_, i) => ids[Math.floor((i * ids.length) / count)]!),
    side,
  );
  let [best, least] = [null as Reduction | null, width];
  for (const of of reducedWidths) {
    // Fewer candidates could not make up for so many dimensions.
    if (of >= least) break;
    const reduction = reductionOf(principalBasis(sample, width, of - 1));
    const cost = of + costOfCandidate * candidateRate(reduction, sample, width, threshold);
    if (cost < least) [best, least] = [reduction, cost];
  }
  return best;
}

/** The fraction of a sample's pairs whose bound reaches the threshold. */
function candidateRate(reduction: Reduction, sample: Float32Array, width: number, threshold: number): number {
  const rows = sample.length / width;
  const reduced = new Float32Array(rows * reduction.width);
  for (let row = 0; row < rows; row++) {
    const into = reduced.subarray(row * reduction.width, (row + 1) * reduction.width);
    reduceRow(reduction, sample.subarray(row * width, (row + 1) * width), into);
  }
  let count = 0;
  for (let a = 0; a < rows; a++) {
    for (let b = a + 1; b < rows; b++) {
      let dot = 0;
      for (let i = 0, x = a * reduction.width, y = b * reduction.width; i < reduction.width; i++)
        dot += reduced[x + i]! * reduced[y + i]!;
      if (dot >= threshold - errorOfCodes) count += 1;
    }
  }
  return count / ((rows * (rows - 1)) / 2);
}

/** About how far the bounds of two rows' codes are above the exact product. */
const errorOfCodes = 0.015;
