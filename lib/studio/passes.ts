/** Runs the network for the page, and keeps the traces of its latest passes. */
import { exp, tensor2d, tensor4d, tidy, type Tensor } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import type { ImageCodecs } from "../image/formats/format.ts";
import { preprocessImage, type PreprocessImage } from "../image/preprocess.ts";
import { headStatistics } from "../study/head-statistics.ts";
import { pixelsRaster } from "../study/pixels-raster.ts";
import { disposing } from "../tensor/disposing.ts";
import { elementCount } from "../tensor/dtype.ts";
import { readTap, withTaps } from "../tensor/taps.ts";
import { MemoryTrace } from "../trace/memory-trace.ts";
import type { HeadSummary, ImagePass, JointPass, ModelInfo, NamedBytes, TextPass } from "./results.ts";

/** In bytes. */
const mostKept = 256 * 2 ** 20;

/** A pass with its trace and its normalised embedding. */
export interface Kept<Result> {
  readonly trace: MemoryTrace;
  readonly features: Float32Array;
  readonly result: Result;
}

/** The passes of one model. */
export class Passes {
  readonly model: Clip;
  readonly #preprocess: PreprocessImage;
  readonly #kept = new Map<string, Kept<unknown>>();

  constructor(model: Clip, codecs: ImageCodecs) {
    this.model = model;
    this.#preprocess = preprocessImage(model.preprocess, codecs);
  }

  /** What a page shows of the model. */
  async info(name: string, backend: string): Promise<ModelInfo> {
    const { config, logitScale, weights } = this.model;
    await logitScale.load();
    let parameters = 0;
    for (const { shape } of weights.store.tensors.values()) parameters += elementCount(shape);
    const scale = await disposing(
      tidy(() => exp(logitScale.tensor)),
      (value) => value.data(),
    );
    const { layers, heads } = config.vision;
    return { name, backend, parameters, scale: scale[0]!, layers, heads, embedDim: config.embedDim };
  }

  /**
   * The similarity of two passes.
   *
   * @param image the trace of an image's pass
   * @param text the trace of a text's pass
   * @throws InputError if a trace is no longer kept
   */
  async joint(image: string, text: string): Promise<JointPass> {
    const [a, b] = [this.find(image).features, this.find(text).features];
    const trace = new MemoryTrace();
    let cosine = 0;
    for (let i = 0; i < a.length; i++) cosine += a[i]! * b[i]!;
    const [x, y] = [tensor2d(a, [1, a.length]), tensor2d(b, [1, b.length])];
    try {
      const logits = await withTaps(collect(trace), () => this.model.logits(x, y));
      const logit = await valuesOf(logits);
      const name = `${image}\n${text}`;
      const result: JointPass = { trace: name, cosine, logit: logit[0]!, taps: trace.summaries() };
      this.#keep(name, { trace, features: new Float32Array(), result });
      return result;
    } finally {
      x.dispose();
      y.dispose();
    }
  }

  /** Runs the image tower, unless its pass is kept. @throws InputError for a file that is not an image */
  async image({ key, name, bytes }: NamedBytes, signal: AbortSignal): Promise<Kept<ImagePass>> {
    const id = `image ${key}`;
    const known = this.#kept.get(id) as Kept<ImagePass> | undefined;
    if (known !== undefined) return known;
    const pixels = await this.#preprocess(bytes, name);
    const { config, preprocess } = this.model;
    const [height, width] = preprocess.size;
    const trace = new MemoryTrace();
    trace.add("input.image", [1, 3, height, width], pixels);
    const start = performance.now();
    const features = await disposing(tensor4d(pixels, [1, 3, height, width]), (input) =>
      withTaps(collect(trace), () => this.model.encodeImage(input, { normalize: true, signal })),
    );
    const milliseconds = performance.now() - start;
    const patches = [0, 1].map((axis) =>
      Math.floor(config.vision.imageSize[axis]! / config.vision.patchSize[axis]!),
    ) as [number, number];
    const { width: columns, height: rows, rgb } = pixelsRaster(pixels, [height, width], preprocess);
    const result: ImagePass = {
      trace: id,
      milliseconds,
      taps: trace.summaries(),
      heads: await headsOf(trace, config.vision, patches[1]),
      patches,
      input: { width: columns, height: rows, rgb },
    };
    return this.#keep(id, { trace, features: await valuesOf(features), result });
  }

  /** Runs the text tower, unless its pass is kept. */
  async text(text: string, signal: AbortSignal): Promise<Kept<TextPass>> {
    const id = `text ${text}`;
    const known = this.#kept.get(id) as Kept<TextPass> | undefined;
    if (known !== undefined) return known;
    const tokenizer = await this.model.tokenizer();
    const { ids, pieces } = tokenizer.tokenize(text);
    const trace = new MemoryTrace();
    const padded = Float32Array.from(
      { length: tokenizer.contextLength },
      (_, i) => ids[i] ?? tokenizer.padId,
    );
    trace.add("input.text", [1, tokenizer.contextLength], padded);
    const start = performance.now();
    const features = await withTaps(collect(trace), () =>
      this.model.encodeTokens([ids], { normalize: true, signal }),
    );
    const milliseconds = performance.now() - start;
    const tokens = ids.map((token, i) => ({ id: token, piece: pieces[i] ?? "" }));
    const result: TextPass = {
      trace: id,
      milliseconds,
      taps: trace.summaries(),
      tokens,
      received: await receivedAttention(trace),
    };
    return this.#keep(id, { trace, features: await valuesOf(features), result });
  }

  /** Keeps a pass as the latest one, and forgets the oldest beyond the limit. */
  #keep<R>(name: string, kept: Kept<R>): Kept<R> {
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    let size = 0;
    for (const [id, { trace }] of [...this.#kept].reverse()) {
      size += trace.size;
      if (size > mostKept && id !== name) this.#kept.delete(id);
    }
    return kept;
  }

  /** A kept pass. @throws InputError if it is no longer kept */
  find(name: string): Kept<unknown> {
    const kept = this.#kept.get(name);
    if (kept === undefined)
      throw new InputError("this pass is no longer in memory; select the image or the text again");
    return kept;
  }
}

/** A sink that keeps a copy of every tap. */
function collect(trace: MemoryTrace): (name: string, value: Tensor) => Promise<void> {
  return async (name, value) => {
    const { shape } = value;
    trace.add(name, shape, Float32Array.from(await readTap(value)));
  };
}

/** Reads a tensor and disposes it. */
async function valuesOf(tensor: Tensor): Promise<Float32Array> {
  return disposing(tensor, async (value) => Float32Array.from(await value.data<"float32">()));
}

/** Of every layer that has attention, in order. */
async function receivedAttention(trace: MemoryTrace): Promise<number[][]> {
  const layers = trace.taps.filter(({ name }) => name.endsWith("#probabilities"));
  return Promise.all(
    layers.map(async ({ name, shape }) => {
      const values = await trace.read(name);
      const length = shape[3]!;
      const rows = values.length / length;
      return Array.from({ length }, (_, key) => {
        let sum = 0;
        for (let row = 0; row < rows; row++) sum += values[row * length + key]!;
        return sum / rows;
      });
    }),
  );
}

async function headsOf(
  trace: MemoryTrace,
  { layers, heads }: { readonly layers: number; readonly heads: number },
  columns: number,
): Promise<HeadSummary[][]> {
  const all: HeadSummary[][] = [];
  for (let layer = 0; layer < layers; layer++) {
    const values = await trace.read(`visual.transformer.resblocks.${layer}.attn#probabilities`);
    const length = Math.sqrt(values.length / heads);
    all.push(
      Array.from({ length: heads }, (_, head) => ({
        ...headStatistics({ values, heads, length }, head, columns),
        row: Array.from(values.subarray(head * length * length, head * length * length + length)),
      })),
    );
  }
  return all;
}
