/**
 * CLIP: two towers that project into one space, and the scale of their similarity.
 *
 * logits = exp(logit_scale) · î · t̂ᵀ, where î and t̂ are the L2-normalised embeddings.
 * Paper: Radford et al., 2021 (arXiv 2103.00020), figure 3. Source: open_clip/model.py, CustomTextCLIP and CLIP.
 * State dict: `visual.*`, `text.*` (the English models: at the root), `logit_scale` [].
 */
import { concat, exp, gather, keep, matMul, mul, tensor1d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import {
  assertCallback,
  assertOptions,
  assertSignal,
  assertSwitch,
  assertTextList,
  assertWhole,
} from "../errors/arguments.ts";
import { InputError } from "../errors/input-error.ts";
import type { PreprocessConfig } from "../image/transform.ts";
import { runStreaming, type RunOptions, type StreamStart, type Tower } from "../nn/tower.ts";
import type { Precision } from "../tensor/precision.ts";
import type { TensorStore } from "../tensor/store.ts";
import { assertOutsideSinks, observerInScope, pass, tap, tapOwned, type Observer } from "../tensor/taps.ts";
import { disposedModel } from "../tensor/closable-store.ts";
import { ModelWeights } from "../tensor/model-weights.ts";
import type { Residency, Weight } from "../tensor/weight.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { ClipConfig } from "./config/clip-config.ts";
import { assertEmbeddings, assertPixels, assertRows, assertStart, holding } from "./inputs.ts";
import { buildNetwork, ignoredTensors } from "./network.ts";
import { l2Normalize, unitRows } from "./normalize.ts";
import type { TextTower } from "./text/tower.ts";
import type { VisionTransformer } from "./vision/vision-transformer.ts";

/** Texts per batch. The texts of a batch have similar lengths. */
const textBatchSize = 32;

/** Options of the encoding methods of `Clip`. */
export interface EncodeOptions extends RunOptions {
  /** Divide each embedding by its L2 norm. Default: false, as in open_clip. */
  readonly normalize?: boolean;
}

/** Options of `Clip.encodeTokens`. */
export interface EncodeTokensOptions extends EncodeOptions {
  /** Texts that run together. Default: 32. */
  readonly batchSize?: number;
}

/** Everything that a `Clip` is constructed from. */
export interface ClipParts {
  readonly config: ClipConfig;
  readonly store: TensorStore;
  readonly preprocess: PreprocessConfig;
  /** Called when the first text is encoded. */
  readonly loadTokenizer: () => Promise<Tokenizer>;
  /** Default: resident. */
  readonly residency?: Residency;
  /** Default: f32. The backend must have a packer for another one. */
  readonly precision?: Precision;
}

/** A CLIP model: an image tower, a text tower and the scale of their similarity. */
export class Clip {
  readonly config: ClipConfig;
  /** How images become this model's pixels. */
  readonly preprocess: PreprocessConfig;
  readonly visual: VisionTransformer;
  readonly text: TextTower;
  readonly logitScale: Weight;
  readonly weights: ModelWeights;

  readonly #loadTokenizer: () => Promise<Tokenizer>;
  #tokenizer: Promise<Tokenizer> | null = null;
  /** Calls of `encodeText`, which enter the queue of passes only with their tokens; `dispose` waits for them. */
  readonly #textCalls = new Set<Promise<unknown>>();
  #disposed: Promise<void> | null = null;

  /** @throws InputError that lists every tensor that is missing, unexpected, or has a wrong shape */
  constructor({ config, store, preprocess, loadTokenizer, residency, precision }: ClipParts) {
    this.config = config;
    this.preprocess = preprocess;
    this.#loadTokenizer = loadTokenizer;
    this.weights = new ModelWeights(store, residency, precision);
    const { visual, text, logitScale } = buildNetwork(this.weights.root, config);
    this.visual = visual;
    this.text = text;
    this.logitScale = logitScale;
    this.weights.assertAllRead(ignoredTensors);
  }

  /**
   * The model's tokenizer.
   *
   * @throws InputError if the model directory has none, or it is damaged, or the model is disposed
   */
  async tokenizer(): Promise<Tokenizer> {
    this.#assertUsable();
    return this.#tokenizerOnce();
  }

  #tokenizerOnce(): Promise<Tokenizer> {
    this.#tokenizer ??= this.#loadTokenizer().catch((error: unknown) => {
      this.#tokenizer = null; // so that the next call looks for the file again
      throw error;
    });
    return this.#tokenizer;
  }

  /**
   * Embeds images.
   *
   * @param pixels [B, 3, H, W] in the config's image size, normalised as the preprocessing does
   * @returns [B, embedDim]; the caller disposes it
   * @throws InputError for another shape, integers, a disposed tensor, or a disposed model; the signal's reason if it is
   *   aborted
   */
  async encodeImage(pixels: Tensor4D, options: EncodeOptions = {}): Promise<Tensor2D> {
    this.#assertUsable();
    assertPixels(pixels, this.config, "encodeImage");
    checkOptions(options, imageOptions, "encodeImage");
    return holding(pixels, (held) =>
      pass(async () => {
        const embedding = await runStreaming(this.visual, held, options);
        return options.normalize === true ? normalized(embedding, "image_features") : embedding;
      }),
    );
  }

  /**
   * The rest of an image pass, from a residual stream on: after a change to the stream, only the blocks behind it run.
   *
   * @param start the first block that runs, and the stream [B, L, width] that it takes: the tap of the block before it
   * @returns [B, embedDim]; the caller disposes it
   * @throws InputError for a block that the tower does not have, or a stream of another shape; else as `encodeImage`
   */
  async resumeImage(start: StreamStart, options: EncodeOptions = {}): Promise<Tensor2D> {
    this.#assertUsable();
    assertStart(start, this.visual, "resumeImage");
    checkOptions(options, imageOptions, "resumeImage");
    const tower: Tower<null> = this.visual as Tower<unknown>; // it reads its input in `embed` alone
    return this.#resume(tower, null, start, options, "image_features");
  }

  /**
   * The rest of a text pass, from a residual stream on.
   *
   * @param rows the token ids of the texts, as for `encodeTokens`; they run as one batch
   * @param start as for `resumeImage`; L is the length of the longest row
   * @returns [B, embedDim]; the caller disposes it
   * @throws InputError as `encodeTokens` and `resumeImage`
   */
  async resumeTokens(
    rows: readonly (readonly number[])[],
    start: StreamStart,
    options: EncodeOptions = {},
  ): Promise<Tensor2D> {
    this.#assertUsable();
    assertRows(rows, this.config, "resumeTokens");
    const batch = this.text.batch(rows);
    assertStart(start, this.text, "resumeTokens", batch.tokens.shape);
    checkOptions(options, imageOptions, "resumeTokens");
    return this.#resume(this.text, batch, start, options, "text_features");
  }

  #resume<Input>(
    tower: Tower<Input>,
    input: Input,
    { block, stream }: StreamStart,
    options: EncodeOptions,
    features: "image_features" | "text_features",
  ): Promise<Tensor2D> {
    return holding(stream, (held) =>
      pass(async () => {
        const embedding = await runStreaming(tower, input, options, { block, stream: held });
        return options.normalize === true ? normalized(embedding, features) : embedding;
      }),
    );
  }

  /**
   * Embeds texts in any of the model's languages.
   *
   * @returns [texts, embedDim]; the caller disposes it
   * @throws InputError for an empty list, a model without a tokenizer, or a disposed model; the signal's reason if it is
   *   aborted
   */
  async encodeText(texts: readonly string[], options: EncodeTokensOptions = {}): Promise<Tensor2D> {
    this.#assertUsable();
    assertTextList(texts, "texts", "encodeText");
    if (texts.length === 0) throw new InputError("encodeText: expected at least one text, got none");
    checkOptions(options, tokenOptions, "encodeText");
    const observer = observerInScope(); // in a browser, another call may set its own while the tokenizer is loaded
    const call = this.#tokenizerOnce().then((tokenizer) =>
      this.#encodeRows(
        texts.map((text) => tokenizer.encode(text)),
        options,
        observer,
        "encodeText",
      ),
    );
    this.#textCalls.add(call);
    try {
      return await call;
    } finally {
      this.#textCalls.delete(call);
    }
  }

  /**
   * Embeds token ids. Rows of similar length run together, and each batch is padded to its longest row only: padding
   * does not change the embedding of a row. The embeddings are in the order of the rows.
   *
   * @param rows ids including the start and end tokens; padding at the end is cut off
   * @returns [B, embedDim]; the caller disposes it
   * @throws InputError for a row without tokens, longer than the context, or with an id outside the vocabulary, or if the
   *   model is disposed; the signal's reason if it is aborted
   */
  async encodeTokens(
    rows: readonly (readonly number[])[],
    options: EncodeTokensOptions = {},
  ): Promise<Tensor2D> {
    this.#assertUsable();
    checkOptions(options, tokenOptions, "encodeTokens");
    return this.#encodeRows(rows, options, observerInScope(), "encodeTokens");
  }

  #encodeRows(
    rows: readonly (readonly number[])[],
    options: EncodeTokensOptions,
    observer: Observer | null,
    where: string,
  ): Promise<Tensor2D> {
    assertRows(rows, this.config, where);
    const { batchSize = textBatchSize, normalize = false } = options;
    const order = rows.map((_, i) => i);
    if (rows.length > batchSize) order.sort((a, b) => rows[a]!.length - rows[b]!.length);
    return pass(async () => {
      const embeddings: Tensor2D[] = [];
      try {
        for (let start = 0; start < order.length; start += batchSize) {
          const batch = this.text.batch(order.slice(start, start + batchSize).map((i) => rows[i]!));
          embeddings.push(await runStreaming(this.text, batch, options));
        }
        const embedding = tidy(() => inOrder(embeddings, order));
        return normalize ? normalized(embedding, "text_features") : embedding;
      } finally {
        for (const embedding of embeddings) embedding.dispose();
      }
    }, observer);
  }

  /**
   * exp(logit_scale) · î · t̂ᵀ, where rows of norm 1 are used as they are, and other rows are normalised
   *
   * @param images [B, embedDim]
   * @param texts [T, embedDim]
   * @returns [B, T]; the caller disposes it
   * @throws InputError for embeddings of different widths, or if the model is disposed
   */
  async logits(images: Tensor2D, texts: Tensor2D): Promise<Tensor2D> {
    this.#assertUsable();
    assertEmbeddings(images, null, "image embeddings", "logits");
    assertEmbeddings(texts, images.shape[1], "text embeddings", "logits");
    // Kept, in case the caller is inside `tidy`.
    const [i, t] = [keep(unitRows(images)), keep(unitRows(texts))];
    try {
      return await pass(async () => {
        await this.logitScale.load();
        return tidy(() => {
          const logits = mul<Tensor2D>(exp(this.logitScale.tensor), matMul(i, t, false, true));
          return tap("logits_per_image", logits);
        });
      });
    } finally {
      i.dispose();
      t.dispose();
    }
  }

  /**
   * Frees the weights and closes the file they come from. Calls that have begun finish first; later ones fail with an
   * InputError. Can be called twice.
   */
  async dispose(): Promise<void> {
    assertOutsideSinks();
    this.#disposed ??=
      this.#textCalls.size === 0
        ? this.#close()
        : Promise.allSettled(this.#textCalls).then(() => this.#close());
    return this.#disposed;
  }

  #close(): Promise<void> {
    return pass(async () => {
      this.weights.dispose();
      await this.weights.store.close();
    });
  }

  #assertUsable(): void {
    if (this.#disposed !== null) throw disposedModel(this.weights.store.name);
  }
}

const imageOptions: readonly (keyof EncodeOptions)[] = ["normalize", "signal", "onBlock"];
const tokenOptions: readonly (keyof EncodeTokensOptions)[] = [...imageOptions, "batchSize"];

/** @throws InputError for a wrong option; the signal's reason if it is aborted */
function checkOptions(options: EncodeTokensOptions, known: readonly string[], where: string): void {
  assertOptions(options, known, where);
  assertSwitch(options.normalize, `${where}: normalize`);
  assertWhole(options.batchSize, 1, `${where}: batchSize`);
  assertCallback(options.onBlock, `${where}: onBlock`);
  assertSignal(options.signal, `${where}: signal`);
  options.signal?.throwIfAborted();
}

/** Normalises, emits the result as a tap, and frees the embedding. */
function normalized(embedding: Tensor2D, name: "image_features" | "text_features"): Tensor2D {
  const features = l2Normalize(embedding);
  embedding.dispose();
  return tapOwned(name, features);
}

/** Rows that ran in the order `order`, back in their original order. */
function inOrder(embeddings: readonly Tensor2D[], order: readonly number[]): Tensor2D {
  const position = new Int32Array(order.length);
  for (const [at, row] of order.entries()) position[row] = at;
  return gather(concat([...embeddings], 0), tensor1d(position, "int32"));
}
