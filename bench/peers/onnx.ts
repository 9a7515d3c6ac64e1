/**
 * The image tower as an ONNX model, and a matrix product that measures onnxruntime's rate.
 *
 * Gemm with transB takes the weights as they are stored, and onnxruntime repacks them once. Three choices made no
 * measurable difference on blocks of ViT-H/14: Gemm instead of MatMul on transposed weights, onnxruntime's
 * MultiHeadAttention instead of MatMul and Softmax, and three products for query, key and value instead of one.
 */
import type { ClipConfig, VisionConfig } from "../../lib/clip/config/clip-config.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { OnnxGraph, type Part } from "./onnx-graph.ts";

/**
 * The image tower: `pixels` [B, 3, H, W] → `embedding` [B, embedDim].
 *
 * @param weights a safetensors file in float32, in the folder that the model will be written to
 */
export function imageTowerModel(
  { vision, embedDim, quickGelu }: ClipConfig,
  weights: TensorStore,
): Uint8Array {
  const graph = new OnnxGraph(weights);
  const { width, imageSize, patchSize } = vision;
  const patches = Math.floor(imageSize[0] / patchSize[0]) * Math.floor(imageSize[1] / patchSize[1]);
  const pixels = graph.input("pixels", ["B", 3, ...imageSize]);
  let x = embed(graph, pixels, vision, patches); // [B, L, width]
  for (let i = 0; i < vision.layers; i++) {
    x = block(graph, x, `visual.transformer.resblocks.${i}`, vision, 1 + patches, quickGelu);
  }
  const token = graph.apply("Gather", [x, graph.integers(0)], { axis: 1 }); // [B, 1, width]
  const pooled = graph.apply("Reshape", [
    layerNorm(graph, token, "visual.ln_post", vision),
    graph.integers(-1, width),
  ]);
  const embedding = graph.apply("MatMul", [pooled, graph.weight("visual.proj")]);
  graph.output(embedding, ["B", embedDim]);
  return graph.encode();
}

/** a · b, both [size, size] */
export function matrixProductModel(size: number): Uint8Array {
  const graph = new OnnxGraph();
  const inputs = ["a", "b"].map((name) => graph.input(name, [size, size]));
  graph.output(graph.apply("MatMul", inputs), [size, size]);
  return graph.encode();
}

/** The class token and the patches, with positions. [B, L, width] */
function embed(graph: OnnxGraph, pixels: string, vision: VisionConfig, patches: number): string {
  const { width, patchSize } = vision;
  const kernel = graph.weight("visual.conv1.weight");
  const grid = graph.apply("Conv", [pixels, kernel], { kernel_shape: patchSize, strides: patchSize });
  const rows = graph.apply("Reshape", [grid, graph.integers(0, width, patches)]); // [B, width, L − 1]
  const tokens = graph.apply("Transpose", [rows], { perm: [0, 2, 1] });
  const batch = graph.apply("Shape", [pixels], { start: 0, end: 1 });
  const shape = graph.apply("Concat", [batch, graph.integers(1, width)], { axis: 0 });
  const classToken = graph.apply("Expand", [graph.weight("visual.class_embedding"), shape]); // [B, 1, width]
  const all = graph.apply("Concat", [classToken, tokens], { axis: 1 });
  const positioned = graph.apply("Add", [all, graph.weight("visual.positional_embedding")]);
  return vision.hasLnPre ? layerNorm(graph, positioned, "visual.ln_pre", vision) : positioned;
}

/** One pre-norm block. [B, L, width] */
function block(
  graph: OnnxGraph,
  x: string,
  path: string,
  vision: VisionConfig,
  length: number,
  quickGelu: boolean,
): string {
  const { width, heads } = vision;
  const fold = (y: string): string => graph.apply("Reshape", [y, graph.integers(-1, width)]); // [B · L, width]
  const unfold = (rows: string): string => graph.apply("Reshape", [rows, graph.integers(-1, length, width)]);

  const normed = fold(layerNorm(graph, x, `${path}.ln_1`, vision));
  const queryKeyValue = [0, 1, 2].map((index) =>
    unfold(linear(graph, normed, `${path}.attn.in_proj_`, { index, of: 3 })),
  );
  const context = graph.apply("com.microsoft:MultiHeadAttention", queryKeyValue, { num_heads: heads });
  const attended = graph.apply("Add", [x, unfold(linear(graph, fold(context), `${path}.attn.out_proj.`))]);

  const inner = linear(graph, fold(layerNorm(graph, attended, `${path}.ln_2`, vision)), `${path}.mlp.c_fc.`);
  const active = quickGelu
    ? graph.apply("com.microsoft:QuickGelu", [inner], { alpha: { float: 1.702 } })
    : graph.apply("Gelu", [inner]);
  return graph.apply("Add", [attended, unfold(linear(graph, active, `${path}.mlp.c_proj.`))]);
}

/** x · Wᵀ + b by row. `part` selects one of several Linears that are stacked in one weight. */
function linear(graph: OnnxGraph, rows: string, prefix: string, part?: Part): string {
  const weights = ["weight", "bias"].map((name) => graph.weight(`${prefix}${name}`, part));
  return graph.apply("Gemm", [rows, ...weights], { transB: 1 });
}

function layerNorm(graph: OnnxGraph, x: string, path: string, { layerNormEpsilon }: VisionConfig): string {
  const weights = [graph.weight(`${path}.weight`), graph.weight(`${path}.bias`)];
  return graph.apply("LayerNormalization", [x, ...weights], {
    axis: -1,
    epsilon: { float: layerNormEpsilon },
  });
}
