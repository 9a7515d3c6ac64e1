/**
 * The colours of natural images, decorrelated: the square root of the covariance of ImageNet's red, green and blue.
 *
 * Source: lucid, optvis/param/color.py; lucent, optvis/param/color.py: color_correlation_svd_sqrt, divided by the largest
 * norm of a column.
 */
type Matrix = readonly (readonly number[])[];

const root: Matrix = [
  [0.26, 0.09, 0.02],
  [0.27, 0.0, -0.05],
  [0.27, -0.09, 0.03],
];

const largestNorm = Math.max(...[0, 1, 2].map((c) => Math.hypot(...root.map((row) => row[c]!))));

/** Decorrelated channels to red, green and blue. */
export const fromDecorrelated: Matrix = root.map((row) => row.map((value) => value / largestNorm));

/** The inverse. */
export const toDecorrelated: Matrix = inverse(fromDecorrelated);

/** Of a 3 × 3 matrix, by cofactors. */
function inverse(m: Matrix): number[][] {
  const cofactor = (r: number, c: number): number => {
    const [r1, r2, c1, c2] = [(r + 1) % 3, (r + 2) % 3, (c + 1) % 3, (c + 2) % 3];
    return m[r1]![c1]! * m[r2]![c2]! - m[r1]![c2]! * m[r2]![c1]!;
  };
  const determinant = [0, 1, 2].reduce((sum, c) => sum + m[0]![c]! * cofactor(0, c), 0);
  return [0, 1, 2].map((r) => [0, 1, 2].map((c) => cofactor(c, r) / determinant));
}
