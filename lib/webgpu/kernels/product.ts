/**
 * Matrix products: C = A · B, for stacks of matrices that lie anywhere in their tensors, such as the heads of attention.
 *
 * A product of n × n matrices reads each number n times, and a GPU computes far faster than it reads. So it is computed in
 * tiles. A workgroup of 16 × 16 threads computes a tile of C with 64 columns and 64 (or 16) rows:
 *
 * 1. Each thread copies four numbers of a 64 × 16 part of A and four of a 16 × 64 part of B into memory that the workgroup
 *    shares, which is as fast as a cache.
 * 2. Each thread adds the products of these parts to its own 4 × 4 numbers of C, which it keeps in registers. Every number
 *    that it reads is used four times, and every number that was copied 64 times.
 * 3. The next 16 columns of A and rows of B follow.
 *
 * Sums are float32. Every 256 products a thread adds its sums to a second set of sums, because the rounding error of one
 * running sum grows with its length. tfjs's product adds with atomics when the matrices are deep and have few rows, in an
 * order that changes from run to run; this order is fixed.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { run, type Shader, type ShaderBackend } from "./program.ts";

/** A workgroup has side × side threads, and a tile of A or B is `side` deep. */
const side = 16;
/** The numbers of a row of C that a thread computes: a vector of WGSL. */
const columnsPerThread = 4;
const tileColumns = side * columnsPerThread;
/** The depth after which sums are added to the second set. */
const partDepth = 256;

/** Where the matrices of a stack lie in a tensor: distances in numbers. */
export interface Strides {
  /** Between matrices along the first axis of the stack, and along its second. */
  readonly outer: number;
  readonly inner: number;
  readonly row: number;
  readonly column: number;
}

export interface Product {
  readonly a: TensorInfo;
  readonly b: TensorInfo;
  /** Added to each row. */
  readonly bias?: TensorInfo | undefined;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** The axes of the stack. */
  readonly outer: number;
  readonly inner: number;
  readonly aStrides: Strides;
  readonly bStrides: Strides;
  readonly outStrides: Omit<Strides, "column">;
  /** The first column of B and of the bias. */
  readonly firstColumn?: number;
  /** A factor of the product. */
  readonly scale?: number;
  readonly outputShape: readonly number[];
}

function shader(rowsPerThread: 1 | 4, hasBias: boolean): Shader {
  const tileRows = side * rowsPerThread;
  const numbers = rowsPerThread === 1 ? "f32" : "vec4<f32>";
  const rows = [...Array(rowsPerThread).keys()];
  const eachRow = (line: (row: number, component: string) => string): string =>
    rows.map((row) => line(row, rowsPerThread === 1 ? "" : `[${row}]`)).join("\n");
  return {
    key: `clipscopeProduct_${rowsPerThread}_${hasBias}`,
    threads: [side, side, 1],
    code: `
var<workgroup> aTile : array<array<${numbers}, ${side}>, ${side}>; // [depth][rows / ${rowsPerThread}]
var<workgroup> bTile : array<array<vec4<f32>, ${side}>, ${side}>; // [depth][columns / 4]

fn aAt(first : i32, row : i32, k : i32) -> f32 {
  if (row >= uniforms.rows || k >= uniforms.depth) { return 0.0; }
  return f32(a[first + row * uniforms.aRow + k * uniforms.aColumn]);
}
fn bAt(first : i32, k : i32, column : i32) -> f32 {
  if (k >= uniforms.depth || column >= uniforms.columns) { return 0.0; }
  return f32(b[first + k * uniforms.bRow + column * uniforms.bColumn]);
}

fn main() {
  let outer = i32(workgroupId.z) / uniforms.inner;
  let inner = i32(workgroupId.z) % uniforms.inner;
  let aFirst = outer * uniforms.aOuter + inner * uniforms.aInner;
  let bFirst = outer * uniforms.bOuter + inner * uniforms.bInner + uniforms.firstColumn * uniforms.bColumn;
  let x = i32(localId.x);
  let y = i32(localId.y);
  let firstRow = i32(workgroupId.y) * ${tileRows};
  let column = i32(workgroupId.x) * ${tileColumns} + x * 4;

  ${eachRow((row) => `var part${row} = vec4<f32>(); var sum${row} = vec4<f32>();`)}
  for (var k = 0; k < uniforms.depth; k += ${side}) {
    // Neighbouring threads read neighbouring numbers: x counts along a row of A, and along a row of B.
    let row = firstRow + y * ${rowsPerThread};
    aTile[x][y] = ${numbers}(${rows.map((row) => `aAt(aFirst, row + ${row}, k + x)`).join(", ")});
    bTile[y][x] = vec4<f32>(${[0, 1, 2, 3].map((c) => `bAt(bFirst, k + y, column + ${c})`).join(", ")});
    workgroupBarrier();
    for (var d = 0; d < ${side}; d++) {
      let ofA = aTile[d][y];
      let ofB = bTile[d][x];
      ${eachRow((row, component) => `part${row} = fma(vec4<f32>(ofA${component}), ofB, part${row});`)}
    }
    if ((k + ${side}) % ${partDepth} == 0) {
      ${eachRow((row) => `sum${row} += part${row}; part${row} = vec4<f32>();`)}
    }
    workgroupBarrier();
  }

  let outFirst = outer * uniforms.outOuter + inner * uniforms.outInner;
  for (var c = 0; c < 4 && column + c < uniforms.columns; c++) {
    let bias = ${hasBias ? "f32(bias[uniforms.firstColumn + column + c])" : "0.0"};
    ${eachRow(
      (row) => `
    if (firstRow + y * ${rowsPerThread} + ${row} < uniforms.rows) {
      let at = outFirst + (firstRow + y * ${rowsPerThread} + ${row}) * uniforms.outRow + column + c;
      result[at] = (sum${row}[c] + part${row}[c]) * uniforms.scale + bias;
    }`,
    )}
  }
}`,
  };
}

const shaders = new Map(
  ([1, 4] as const).flatMap((rows) =>
    [false, true].map((hasBias) => [`${rows} ${hasBias}`, shader(rows, hasBias)] as const),
  ),
);

/** Fewer rows than this are computed in tiles of 16 rows, of which fewer are empty. */
const fewRows = 33;

export function multiply(backend: ShaderBackend, product: Product): TensorInfo {
  const { a, b, bias, rows, columns, depth, inner, firstColumn = 0, scale = 1 } = product;
  const rowsPerThread = rows < fewRows ? 1 : 4;
  const { aStrides, bStrides, outStrides } = product;
  return run(backend, shaders.get(`${rowsPerThread} ${bias !== undefined}`)!, {
    inputs: { a, b, ...(bias && { bias }) },
    integers: {
      ...{ rows, columns, depth, inner, firstColumn },
      ...{ aOuter: aStrides.outer, aInner: aStrides.inner, aRow: aStrides.row, aColumn: aStrides.column },
      ...{ bOuter: bStrides.outer, bInner: bStrides.inner, bRow: bStrides.row, bColumn: bStrides.column },
      ...{ outOuter: outStrides.outer, outInner: outStrides.inner, outRow: outStrides.row },
    },
    reals: { scale },
    outputShape: product.outputShape,
    workgroups: [
      Math.ceil(columns / tileColumns),
      Math.ceil(rows / (side * rowsPerThread)),
      product.outer * inner,
    ],
  });
}
