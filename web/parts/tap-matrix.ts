/** A tap as a matrix that can be drawn. */
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import type { Cell } from "./heat-map.tsx";

/** One long row is cut into several. */
export function layOut(matrix: Matrix): Matrix {
  const { rows, columns, values } = matrix;
  if (rows > 1 || columns < 24) return matrix;
  const width = [16, 12, 11, 10, 8].find((candidate) => columns % candidate === 0);
  return width === undefined ? matrix : { rows: columns / width, columns: width, values };
}

/** What a cell of a tap's matrix is. @param columns of the matrix that is drawn */
export function cellNames(shape: readonly number[], { columns }: Matrix): (cell: Cell) => string {
  if (shape.length === 3) return ({ row, column }) => `token ${row}, channel ${column}`;
  if (shape.length === 4 && shape[2] === shape[3] && shape[1]! < shape[2]!) {
    return ({ row, column }) => `token ${row} to token ${column}`;
  }
  if (shape.length === 4) return ({ row, column }) => `row ${row}, column ${column}`;
  return ({ row, column }) => `[${row * columns + column}]`;
}

/** What a cell shows. */
export function unitOf(shape: readonly number[]): string {
  if (shape.length !== 4) return "value";
  return shape[1]! < shape[2]! && shape[1] !== 3 ? "probability, mean over heads" : "norm over channels";
}
