/** Sizes of blocks of rows, for products that do not fit into memory as a whole. */

/** Values of a block, of its features or its products. Not a power of two, which would map columns to few cache lines. */
export const blockSize = 2e6;

/** How many rows have at most `size` features and at most `size` products; at least one. */
export function rowsPerBlock(width: number, columns: number, size = blockSize): number {
  return Math.max(1, Math.floor(size / Math.max(width, columns)));
}
