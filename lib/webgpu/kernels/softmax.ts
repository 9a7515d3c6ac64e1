/** The softmax of attention scores, with their mask, in one shader. A workgroup computes a row. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { run, type Shader, type ShaderBackend } from "./program.ts";
import { reductions, rowThreads } from "./reduction.ts";

function shader(isMasked: boolean): Shader {
  return {
    key: `clipscopeSoftmax_${isMasked}`,
    threads: [rowThreads, 1, 1],
    code: `
${reductions}
fn main(index : i32) {
  // There may be a few more workgroups than rows. All of them reach the barriers.
  let row = index / ${rowThreads};
  let known = min(row, uniforms.rows - 1);
  let first = known * uniforms.columns;
  let thread = index % ${rowThreads};
  let maskFirst = ${isMasked ? maskFirst : "0"};

  var highest = -3.402823e+38;
  for (var i = thread; i < uniforms.columns; i += ${rowThreads}) { highest = max(highest, score(first, maskFirst, i)); }
  highest = maximumOf(highest);

  var sum = 0.0;
  for (var i = thread; i < uniforms.columns; i += ${rowThreads}) { sum += exp(score(first, maskFirst, i) - highest); }
  let scale = 1.0 / sumOf(sum);

  if (row >= uniforms.rows) { return; }
  for (var i = thread; i < uniforms.columns; i += ${rowThreads}) {
    result[first + i] = exp(score(first, maskFirst, i) - highest) * scale;
  }
}
fn score(first : i32, maskFirst : i32, i : i32) -> f32 {
  return f32(scores[first + i])${isMasked ? " + f32(mask[maskFirst + i * uniforms.maskColumn])" : ""};
}`,
  };
}

/** Where the mask's row begins. An axis of size 1 has the stride 0. */
const maskFirst = `
    known / (uniforms.heads * uniforms.queries) * uniforms.maskBatch +
    known / uniforms.queries % uniforms.heads * uniforms.maskHead +
    known % uniforms.queries * uniforms.maskQuery`;

const [plain, masked] = [shader(false), shader(true)];

/** @param scores [B, heads, L, K] @param mask four axes that broadcast to the scores' shape */
export function softmax(backend: ShaderBackend, scores: TensorInfo, mask?: TensorInfo): TensorInfo {
  const [batch = 0, heads = 0, queries = 0, columns = 0] = scores.shape;
  const rows = batch * heads * queries;
  const common = { outputShape: scores.shape, workgroups: [rows] } as const;
  if (mask === undefined) {
    return run(backend, plain, { ...common, inputs: { scores }, integers: { rows, columns } });
  }
  const strides = mask.shape.map((size, axis) =>
    size === 1 ? 0 : mask.shape.slice(axis + 1).reduce((product, inner) => product * inner, 1),
  );
  const [maskBatch = 0, maskHead = 0, maskQuery = 0, maskColumn = 0] = strides;
  return run(backend, masked, {
    ...common,
    inputs: { scores, mask },
    integers: { rows, columns, heads, queries, maskBatch, maskHead, maskQuery, maskColumn },
  });
}
