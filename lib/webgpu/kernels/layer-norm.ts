/** LayerNorm in one shader; tfjs's operations take nine. A workgroup computes a row. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { run, type Shader, type ShaderBackend } from "./program.ts";
import { reductions, rowThreads } from "./reduction.ts";

const shader: Shader = {
  key: "clipscopeLayerNorm",
  threads: [rowThreads, 1, 1],
  code: `
${reductions}
fn main(index : i32) {
  // There may be a few more workgroups than rows. All of them reach the barriers.
  let row = index / ${rowThreads};
  let first = min(row, uniforms.rows - 1) * uniforms.width;
  let thread = index % ${rowThreads};

  var sum = 0.0;
  for (var i = thread; i < uniforms.width; i += ${rowThreads}) { sum += f32(x[first + i]); }
  let mean = sumOf(sum) / f32(uniforms.width);

  var squares = 0.0;
  for (var i = thread; i < uniforms.width; i += ${rowThreads}) {
    let centred = f32(x[first + i]) - mean;
    squares = fma(centred, centred, squares);
  }
  let variance = sumOf(squares) / f32(uniforms.width);
  let scale = 1.0 / sqrt(variance + uniforms.epsilon);

  if (row >= uniforms.rows) { return; }
  for (var i = thread; i < uniforms.width; i += ${rowThreads}) {
    result[first + i] = fma((f32(x[first + i]) - mean) * scale, f32(gamma[i]), f32(beta[i]));
  }
}`,
};

/** @param x [..., width] @param gamma [width] @param beta [width] */
export function layerNorm(
  backend: ShaderBackend,
  x: TensorInfo,
  gamma: TensorInfo,
  beta: TensorInfo,
  epsilon: number,
): TensorInfo {
  const width = x.shape.at(-1)!;
  const rows = x.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  return run(backend, shader, {
    inputs: { x, gamma, beta },
    integers: { rows, width },
    reals: { epsilon },
    outputShape: x.shape,
    workgroups: [rows],
  });
}
