/**
 * The directions of the largest variance of rows, by subspace iteration.
 *
 * Q ← orthonormal basis of Xᵀ X Q, with X the centred rows; then the eigenvectors of the small matrix Qᵀ Xᵀ X Q
 * (Rayleigh–Ritz). Paper: Halko, Martinsson and Tropp, 2011 (SIAM Review 53(2)), algorithm 4.4. Signs are scikit-learn's:
 * the largest loading of a component is positive.
 */
import { InputError } from "../errors/input-error.ts";
import type { Rows } from "./features.ts";

/** Features projected on the directions in which they vary most. */
export interface PrincipalComponents {
  /** [components, width], of norm 1 and orthogonal to each other, by falling variance */
  readonly directions: readonly Float64Array[];
  /** The projections of the rows [rows, components], centred */
  readonly projections: Float32Array;
  /** The fraction of the variance along each direction. */
  readonly explained: readonly number[];
}

/** Options of the projection. */
export interface ComponentsOptions {
  /** Called before each iteration. */
  readonly onIteration?: (done: number, most: number) => void | Promise<void>;
}

const mostIterations = 60;
/** More directions than asked for make the iteration converge faster. */
const oversampling = 6;
/** The iteration ends when no variance changes by more than this fraction. */
const tolerance = 1e-9;

/**
 * @param components how many
 * @throws InputError for fewer than two rows
 */
export async function principalComponents(
  { values, rows, width }: Rows,
  components: number,
  { onIteration }: ComponentsOptions = {},
): Promise<PrincipalComponents> {
  if (rows < 2) throw new InputError(`expected two rows or more to find directions, found ${rows}`);
  const mean = new Float64Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width]! += values[i]! / rows;
  const count = Math.min(components + oversampling, width);
  let basis = orthonormal(startVectors(count, width));
  let found = basis;
  let before: readonly number[] = [];
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    await onIteration?.(iteration, mostIterations);
    const { products, small } = applied({ values, rows, width }, mean, basis);
    const { variances, rotation } = eigenvectors(small);
    const settled = variances
      .slice(0, components)
      .every((value, i) => Math.abs(value - (before[i] ?? Infinity)) <= tolerance * variances[0]!);
    before = variances;
    found = combined(basis, rotation);
    if (settled) break;
    basis = orthonormal(products);
  }
  const directions = found.slice(0, components).map(signed);
  const projections = project({ values, rows, width }, mean, directions);
  const total = totalVariance({ values, rows, width }, mean);
  const explained = directions.map((_, c) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += projections[row * directions.length + c]! ** 2;
    return total > 0 ? sum / total : 0;
  });
  return { directions, projections, explained };
}

/** The same vectors each time. */
function startVectors(count: number, width: number): Float64Array[] {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Array.from({ length: count }, () => Float64Array.from({ length: width }, next));
}

/** Xᵀ X q for each vector q of a basis, and the matrix of their products with the basis. */
function applied(
  { values, rows, width }: Rows,
  mean: Float64Array,
  basis: readonly Float64Array[],
): { readonly products: Float64Array[]; readonly small: number[][] } {
  const products = basis.map(() => new Float64Array(width));
  const centred = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) centred[i] = values[row * width + i]! - mean[i]!;
    for (const [c, vector] of basis.entries()) addScaled(products[c]!, centred, dot(centred, vector));
  }
  return { products, small: basis.map((q) => products.map((product) => dot(q, product))) };
}

/** Modified Gram–Schmidt. A vector that depends on those before becomes zero. */
export function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const basis: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = vector.slice();
    const size = Math.sqrt(dot(rest, rest));
    for (let twice = 0; twice < 2; twice++)
      for (const other of basis) addScaled(rest, other, -dot(rest, other));
    const norm = Math.sqrt(dot(rest, rest));
    basis.push(norm > 1e-12 * size ? rest.map((value) => value / norm) : new Float64Array(rest.length));
  }
  return basis;
}

/** The eigenvectors of a small symmetric matrix, by falling eigenvalue: Jacobi's rotations. */
function eigenvectors(matrix: readonly (readonly number[])[]): {
  readonly variances: number[];
  /** [eigenvector][coordinate] */
  readonly rotation: number[][];
} {
  const n = matrix.length;
  const a = matrix.map((row, i) => row.map((value, j) => (value + matrix[j]![i]!) / 2));
  const v: number[][] = a.map((_, i) => a.map((__, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 50; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const value = a[p]![q]!;
        off += value * value;
        if (value === 0) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * value);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const cosine = 1 / Math.sqrt(t * t + 1);
        const sine = t * cosine;
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[k]![p]!, a[k]![q]!];
          a[k]![p] = cosine * x - sine * y;
          a[k]![q] = sine * x + cosine * y;
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [a[p]![k]!, a[q]![k]!];
          a[p]![k] = cosine * x - sine * y;
          a[q]![k] = sine * x + cosine * y;
          const [s, u] = [v[p]![k]!, v[q]![k]!];
          v[p]![k] = cosine * s - sine * u;
          v[q]![k] = sine * s + cosine * u;
        }
      }
    }
    if (off < 1e-24 * a.reduce((sum, row, i) => sum + row[i]! ** 2, 0)) break;
  }
  const order = [...a.keys()].sort((x, y) => a[y]![y]! - a[x]![x]!);
  return { variances: order.map((i) => a[i]![i]!), rotation: order.map((i) => v[i]!) };
}

function combined(basis: readonly Float64Array[], rotation: readonly (readonly number[])[]): Float64Array[] {
  return rotation.map((shares) => {
    const sum = new Float64Array(basis[0]!.length);
    for (const [i, share] of shares.entries()) addScaled(sum, basis[i]!, share);
    return sum;
  });
}

function signed(direction: Float64Array): Float64Array {
  const largest = direction.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return largest < 0 ? direction.map((value) => -value) : direction;
}

function project(
  { values, rows, width }: Rows,
  mean: Float64Array,
  directions: readonly Float64Array[],
): Float32Array {
  const projections = new Float32Array(rows * directions.length);
  const shifts = directions.map((direction) => dot(direction, mean));
  for (let row = 0; row < rows; row++) {
    for (const [c, direction] of directions.entries()) {
      let sum = -shifts[c]!;
      for (let i = 0; i < width; i++) sum += values[row * width + i]! * direction[i]!;
      projections[row * directions.length + c] = sum;
    }
  }
  return projections;
}

function totalVariance({ values, width }: Rows, mean: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i]! - mean[i % width]!) ** 2;
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(to: Float64Array, what: Float64Array, scale: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += scale * what[i]!;
}
