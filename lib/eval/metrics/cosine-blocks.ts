/**
 * Cosine similarities of all pairs of two sets of embeddings, in blocks of rows: 25,010 captions and 5,000 images have
 * 500 MB of similarities, which are never in memory as a whole.
 *
 * Products run on the current backend. `bench/cosine-blocks.ts` compares it with loops over typed arrays.
 */
import { matMul, tensor2d, tidy, type Tensor2D } from "@tensorflow/tfjs-core";
import { unitRows } from "../../clip/normalize.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Rows } from "../../features/features.ts";
import { rowsPerBlock } from "../../features/row-blocks.ts";
import { disposing } from "../../tensor/disposing.ts";

/** The similarities of consecutive rows. */
export interface CosineBlock {
  /** The first row, and the row after the last one. */
  readonly start: number;
  readonly end: number;
  /** [end − start, columns] in row-major order */
  readonly cosines: Float32Array;
}

/**
 * The cosine similarities of each row with each column. Embeddings of norm 1 are used as they are, others are
 * normalised. Two runs with the same arguments give the same bits.
 *
 * @param size values in a block
 * @param columnNorms "kept": columns are not normalised, so that similarities are proportional to their norms
 * @throws InputError for embeddings of different widths, or that are not finite
 */
export async function* cosineBlocks(
  rows: Rows,
  columns: Rows,
  size?: number,
  columnNorms: "unit" | "kept" = "unit",
): AsyncGenerator<CosineBlock, void, undefined> {
  if (rows.width !== columns.width) {
    throw new InputError(
      `similarities: expected embeddings of the same width, found ${rows.width} and ${columns.width}`,
    );
  }
  assertFiniteRows(columns);
  const rowsAtOnce = rowsPerBlock(rows.width, columns.rows, size);
  const units = tidy(() => {
    const given = rowTensor(columns, 0, columns.rows);
    return columnNorms === "kept" ? given : unitRows(given);
  });
  try {
    for (let start = 0; start < rows.rows; start += rowsAtOnce) {
      const end = Math.min(start + rowsAtOnce, rows.rows);
      assertFiniteRows(rows, start, end);
      const products = tidy(() => matMul(unitRows(rowTensor(rows, start, end)), units, false, true));
      yield { start, end, cosines: await disposing(products, (tensor) => tensor.data<"float32">()) };
    }
  } finally {
    units.dispose();
  }
}

function rowTensor({ values, width }: Rows, start: number, end: number): Tensor2D {
  return tensor2d(values.subarray(start * width, end * width), [end - start, width]);
}

function assertFiniteRows({ values, width, rows }: Rows, start = 0, end = rows): void {
  for (let i = start * width; i < end * width; i++) {
    if (Number.isFinite(values[i])) continue;
    throw new InputError(
      `similarities: expected finite embeddings, found ${values[i]} in row ${Math.floor(i / width)}; ` +
        "the model's weights are damaged (download them again) or overflow float32",
    );
  }
}
