/**
 * How much an architecture computes: floating-point operations of its matrix products, two for each multiply-add.
 *
 * Counted are the patch convolution, Linear layers, the projections, and the two products of attention (queries with
 * keys, probabilities with values) over all tokens. Embedding look-ups, norms, softmax, activations and sums are not:
 * that is how the published figures of CLIP models count.
 */
import { elementCount } from "../tensor/dtype.ts";
import { declaredTensors } from "./clip.ts";
import type { ClipConfig } from "./config/open-clip.ts";

export interface FlopOptions {
  /** Pixels. Default: the config's. */
  readonly imageSize?: readonly [height: number, width: number];
  /** Tokens. Default: the config's context length. */
  readonly textLength?: number;
}

export interface Flops {
  /** For one image. */
  readonly image: number;
  /** For one text. */
  readonly text: number;
  /** Module path → what the module's own tensors and products take, without its children's. */
  readonly modules: ReadonlyMap<string, number>;
}

/** Floating-point operations of one image and one text. */
export function countFlops(config: ClipConfig, options: FlopOptions = {}): Flops {
  const { vision, text } = config;
  const [height, width] = options.imageSize ?? vision.imageSize;
  const patches = Math.floor(height / vision.patchSize[0]) * Math.floor(width / vision.patchSize[1]);
  const tokens = { image: patches + 1, text: options.textLength ?? text.contextLength };

  const modules = new Map<string, number>();
  const add = (path: string, flops: number): void => {
    modules.set(path, (modules.get(path) ?? 0) + flops);
  };
  for (const [name, shape] of declaredTensors(config)) {
    const times = applications(name, { patches, ...tokens });
    if (times > 0 && shape.length >= 2) {
      add(name.slice(0, Math.max(0, name.lastIndexOf("."))), 2 * times * elementCount(shape));
    }
  }
  for (let i = 0; i < vision.layers; i++) {
    add(`visual.transformer.resblocks.${i}.attn`, attention(tokens.image, vision.width));
  }
  const [layers, textWidth, layerPath] =
    text.kind === "plain"
      ? [text.layers, text.width, (i: number) => joined(text.prefix, `transformer.resblocks.${i}.attn`)]
      : [
          text.roberta.layers,
          text.roberta.width,
          (i: number) => `text.transformer.encoder.layer.${i}.attention.self`,
        ];
  for (let i = 0; i < layers; i++) add(layerPath(i), attention(tokens.text, textWidth));

  const totals = { image: 0, text: 0 };
  for (const [path, flops] of modules) {
    totals[path === "visual" || path.startsWith("visual.") ? "image" : "text"] += flops;
  }
  return { ...totals, modules };
}

/** Queries · keys and probabilities · values, over all heads. */
function attention(tokens: number, width: number): number {
  return 2 * 2 * tokens * tokens * width;
}

function joined(prefix: string, path: string): string {
  return prefix === "" ? path : `${prefix}.${path}`;
}

/** How many times a matrix is applied in one pass: to each token, each patch, once, or never (a table is looked up). */
function applications(name: string, counts: { patches: number; image: number; text: number }): number {
  if (name.startsWith("visual.transformer.")) return counts.image;
  if (name === "visual.conv1.weight") return counts.patches;
  if (/^(text\.)?transformer\.(encoder|resblocks)\./.test(name)) return counts.text;
  const isProjection = /^visual\.proj$|^text\.proj\.|^(text\.)?text_projection|^text\.transformer\.pooler\./;
  return isProjection.test(name) ? 1 : 0;
}
