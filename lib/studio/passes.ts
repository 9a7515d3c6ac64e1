/** Runs the network for the page, and keeps the traces of its latest passes. */
import { exp, tensor2d, tensor4d, tidy, type Tensor } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import type { Naming } from "../features/origin.ts";
import { InputError } from "../errors/input-error.ts";
import type { ImageCodecs } from "../image/formats/format.ts";
import { preprocessImage, type PreprocessImage } from "../image/preprocess.ts";
import { pixelsRaster } from "../study/pixels-raster.ts";
import { disposing } from "../tensor/disposing.ts";
import { elementCount } from "../tensor/dtype.ts";
import { MemoryTrace } from "../trace/memory-trace.ts";
import type { WritableTrace } from "../trace/trace-source.ts";
import { headsOf, receivedAttention, Recorder, type PassOptions } from "./recorder.ts";
import type {
  HeadSummary,
  ImagePart,
  ImagePass,
  JointPass,
  ModelInfo,
  NamedBytes,
  TextPass,
} from "./results.ts";

/** A pass with its trace and its normalised embedding. */
export interface Kept<Result> {
  readonly trace: WritableTrace;
  readonly features: Float32Array;
  readonly result: Result;
}

/** Where the values of passes are kept. */
export interface PassesOptions {
  /** Called for each pass. Default: a trace in memory. */
  readonly newTrace?: () => WritableTrace | Promise<WritableTrace>;
  /** Names in the metadata of features. Default: those of a library without a host. */
  readonly naming?: Naming;
  /** In bytes; the oldest passes are forgotten beyond it. Default: 256 MiB. */
  readonly mostKept?: number;
}

/** Embeddings are small; they outlive the passes that they come from. */
const mostEmbeddings = 10_000;

/** The passes of one model. */
export class Passes {
  readonly model: Clip;
  readonly codecs: ImageCodecs;
  readonly naming: Naming;
  readonly #preprocess: PreprocessImage;
  readonly #newTrace: () => WritableTrace | Promise<WritableTrace>;
  readonly #mostKept: number;
  readonly #kept = new Map<string, Kept<unknown>>();
  /** By the image's key. */
  readonly #embeddings = new Map<string, Float32Array>();

  constructor(
    model: Clip,
    codecs: ImageCodecs,
    {
      newTrace = () => new MemoryTrace(),
      naming = { madeBy: "clipscope", modelName: (weights) => weights },
      mostKept = 256 * 2 ** 20,
    }: PassesOptions = {},
  ) {
    this.model = model;
    this.codecs = codecs;
    this.naming = naming;
    this.#newTrace = newTrace;
    this.#mostKept = mostKept;
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
  async joint(image: string, text: string): Promise<Kept<JointPass>> {
    const [a, b] = [this.find(image).features, this.find(text).features];
    let cosine = 0;
    for (let i = 0; i < a.length; i++) cosine += a[i]! * b[i]!;
    const [x, y] = [tensor2d(a, [1, a.length]), tensor2d(b, [1, b.length])];
    try {
      return await this.#record(`${image}\n${text}`, {}, async (recorder) => {
        const logits = await recorder.run(() => this.model.logits(x, y));
        const logit = await valuesOf(logits);
        const result: JointPass = {
          trace: `${image}\n${text}`,
          cosine,
          logit: logit[0]!,
          taps: recorder.summaries,
        };
        return { features: new Float32Array(), result };
      });
    } finally {
      x.dispose();
      y.dispose();
    }
  }

  /** Runs the image tower, unless its pass is kept. @throws InputError for a file that is not an image */
  async image(
    { key, name, bytes }: NamedBytes,
    { update, ...options }: PassOptions & { readonly update?: (part: ImagePart) => void },
  ): Promise<Kept<ImagePass>> {
    const id = `image ${key}`;
    const known = this.#kept.get(id) as Kept<ImagePass> | undefined;
    if (known !== undefined) {
      const { taps, heads, patches, input } = known.result;
      update?.({ taps, heads, inputs: { patches, input } });
      return known;
    }
    const pixels = await this.#preprocess(bytes, name);
    const { config, preprocess } = this.model;
    const { imageSize, patchSize } = config.vision;
    const [height, width] = preprocess.size;
    const patches = [0, 1].map((axis) => Math.floor(imageSize[axis]! / patchSize[axis]!)) as [number, number];
    const { width: columns, height: rows, rgb } = pixelsRaster(pixels, [height, width], preprocess);
    const inputs = { patches, input: { width: columns, height: rows, rgb } };
    return this.#record(id, options, async (recorder) => {
      const heads: HeadSummary[][] = [];
      recorder.onAttention = (attention) => heads.push(headsOf(attention, patches[1]));
      let sent = 0;
      recorder.onTaps = (taps) => {
        const isFirst = taps[0] === recorder.summaries[0];
        update?.({ taps, heads: heads.slice(sent), inputs: isFirst ? inputs : null });
        sent = heads.length;
      };
      await recorder.add("input.image", [1, 3, height, width], pixels);
      const start = performance.now();
      const features = await disposing(tensor4d(pixels, [1, 3, height, width]), (input) =>
        recorder.run((run) => this.model.encodeImage(input, { normalize: true, ...run })),
      );
      const result: ImagePass = {
        trace: id,
        milliseconds: performance.now() - start,
        taps: recorder.summaries,
        heads,
        ...inputs,
      };
      return { features: this.#remember(key, await valuesOf(features)), result };
    });
  }

  /** Embeds an image without recording a pass, unless its embedding is known. */
  async embed({ key, name, bytes }: NamedBytes, { signal }: PassOptions): Promise<Float32Array> {
    const known = this.#embeddings.get(key);
    if (known !== undefined) return known;
    const pixels = await this.#preprocess(bytes, name);
    const features = await disposing(tensor4d(pixels, [1, 3, ...this.model.preprocess.size]), (input) =>
      this.model.encodeImage(input, { normalize: true, signal }),
    );
    return this.#remember(key, await valuesOf(features));
  }

  #remember(key: string, embedding: Float32Array): Float32Array {
    this.#embeddings.set(key, embedding);
    const [oldest] = this.#embeddings.keys();
    if (this.#embeddings.size > mostEmbeddings) this.#embeddings.delete(oldest!);
    return embedding;
  }

  /** The embedding of an image that was embedded, or had a pass. @throws InputError if it is not known */
  embedding(key: string): Float32Array {
    const known = this.#embeddings.get(key);
    if (known === undefined) throw new InputError(`the image ${key} is no longer in memory; select it again`);
    return known;
  }

  /** Runs the text tower, unless its pass is kept. */
  async text(text: string, options: PassOptions): Promise<Kept<TextPass>> {
    const id = `text ${text}`;
    const known = this.#kept.get(id) as Kept<TextPass> | undefined;
    if (known !== undefined) return known;
    const tokenizer = await this.model.tokenizer();
    const { ids, pieces } = tokenizer.tokenize(text);
    const padded = Float32Array.from(
      { length: tokenizer.contextLength },
      (_, i) => ids[i] ?? tokenizer.padId,
    );
    return this.#record(id, options, async (recorder) => {
      const received: number[][] = [];
      recorder.onAttention = (attention) => received.push(receivedAttention(attention));
      await recorder.add("input.text", [1, tokenizer.contextLength], padded);
      const start = performance.now();
      const features = await recorder.run((run) =>
        this.model.encodeTokens([ids], { normalize: true, ...run }),
      );
      const result: TextPass = {
        trace: id,
        milliseconds: performance.now() - start,
        taps: recorder.summaries,
        tokens: ids.map((token, i) => ({ id: token, piece: pieces[i] ?? "" })),
        received,
      };
      return { features: await valuesOf(features), result };
    });
  }

  /** Runs a pass and keeps it as the latest one. Nothing is kept of a pass that fails. */
  async #record<R>(
    id: string,
    options: PassOptions,
    run: (recorder: Recorder) => Promise<Omit<Kept<R>, "trace">>,
  ): Promise<Kept<R>> {
    const trace = await this.#newTrace();
    try {
      const kept = { trace, ...(await run(new Recorder(trace, options))) };
      await this.#keep(id, kept);
      return kept;
    } catch (error) {
      await trace.dispose();
      throw error;
    }
  }

  /** Forgets the oldest passes beyond the limit. */
  async #keep(name: string, kept: Kept<unknown>): Promise<void> {
    await this.#kept.get(name)?.trace.dispose();
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    let size = 0;
    for (const [id, { trace }] of [...this.#kept].reverse()) {
      size += trace.size;
      if (size <= this.#mostKept || id === name) continue;
      this.#kept.delete(id);
      await trace.dispose();
    }
  }

  /** Frees all traces. */
  async dispose(): Promise<void> {
    for (const { trace } of this.#kept.values()) await trace.dispose();
    this.#kept.clear();
  }

  /** A kept pass. @throws InputError if it is no longer kept */
  find(name: string): Kept<unknown> {
    const kept = this.#kept.get(name);
    if (kept === undefined)
      throw new InputError("this pass is no longer in memory; select the image or the text again");
    return kept;
  }
}

/** Reads a tensor and disposes it. */
async function valuesOf(tensor: Tensor): Promise<Float32Array> {
  return disposing(tensor, async (value) => Float32Array.from(await value.data<"float32">()));
}
