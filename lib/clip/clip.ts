/**
 * CLIP: two towers that project into one space, and the scale of their similarity.
 *
 * logits = exp(logit_scale) · î · t̂ᵀ, where î and t̂ are the L2-normalised embeddings.
 * Paper: Radford et al., 2021 (arXiv 2103.00020), figure 3. Source: open_clip/model.py, CustomTextCLIP and CLIP.
 * State dict: `visual.*`, `text.*` (the English models: at the root), `logit_scale` [].
 */
import { concat, exp, gather, matMul, mul, tensor1d, tidy } from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import type { PreprocessConfig } from "../image/transform.ts";
import { runStreaming, type RunOptions } from "../nn/tower.ts";
import type { TensorStore } from "../tensor/store.ts";
import { observerInScope, pass, tap, tapOwned, type Observer } from "../tensor/taps.ts";
import { ModelWeights } from "../tensor/model-weights.ts";
import type { Residency, Weight } from "../tensor/weight.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { ClipConfig } from "./config/clip-config.ts";
import { assertPixels, assertRows } from "./inputs.ts";
import { buildNetwork, ignoredTensors } from "./network.ts";
import { l2Normalize } from "./normalize.ts";
import type { TextTower } from "./text/tower.ts";
import type { VisionTransformer } from "./vision/vision-transformer.ts";

/** Texts of similar length that run together. */
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
  /** Called at the first text. */
  readonly loadTokenizer: () => Promise<Tokenizer>;
  /** Default: resident. */
  readonly residency?: Residency;
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
  #disposed: Promise<void> | null = null;

  /** @throws InputError that lists every tensor that is missing, unexpected, or has a wrong shape */
  constructor({ config, store, preprocess, loadTokenizer, residency = "resident" }: ClipParts) {
    this.config = config;
    this.preprocess = preprocess;
    this.#loadTokenizer = loadTokenizer;
    this.weights = new ModelWeights(store, residency);
    const { visual, text, logitScale } = buildNetwork(this.weights.root, config);
    this.visual = visual;
    this.text = text;
    this.logitScale = logitScale;
    this.weights.assertAllRead(ignoredTensors);
  }

  /** The model's tokenizer. @throws InputError if the model directory has none, or it is damaged */
  tokenizer(): Promise<Tokenizer> {
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
   * @throws InputError for another shape, or integers
   */
  async encodeImage(pixels: Tensor4D, options: EncodeOptions = {}): Promise<Tensor2D> {
    assertPixels(pixels, this.config, "encodeImage");
    return pass(async () => {
      const embedding = await runStreaming(this.visual, pixels, options);
      return options.normalize === true ? normalized(embedding, "image_features") : embedding;
    });
  }

  /**
   * Embeds texts in any of the model's languages.
   *
   * @returns [texts, embedDim]; the caller disposes it
   * @throws InputError if there are no texts, or no tokenizer
   */
  async encodeText(texts: readonly string[], options: EncodeTokensOptions = {}): Promise<Tensor2D> {
    const observer = observerInScope(); // in a browser, another call may set its own while the tokenizer is loaded
    const tokenizer = await this.tokenizer();
    const rows = texts.map((text) => tokenizer.encode(text));
    return this.#encodeRows(rows, options, observer);
  }

  /**
   * Embeds token ids. Rows of similar length run together, and each batch is padded to its longest row only: padding
   * does not change the embedding of a row. The embeddings are in the order of the rows.
   *
   * @param rows ids including the start and end tokens; padding at the end is cut off
   * @returns [B, embedDim]; the caller disposes it
   * @throws InputError for a row without tokens, longer than the context, or with an id outside the vocabulary
   */
  async encodeTokens(
    rows: readonly (readonly number[])[],
    options: EncodeTokensOptions = {},
  ): Promise<Tensor2D> {
    return this.#encodeRows(rows, options, observerInScope());
  }

  async #encodeRows(
    rows: readonly (readonly number[])[],
    options: EncodeTokensOptions,
    observer: Observer | null,
  ): Promise<Tensor2D> {
    assertRows(rows, this.config, "encodeTokens");
    const { batchSize = textBatchSize, normalize = false } = options;
    if (!(batchSize >= 1)) {
      throw new InputError(`encodeTokens: expected a batchSize above 0, got ${batchSize}`);
    }
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
   * exp(logit_scale) · images · textsᵀ
   *
   * @param images [B, embedDim], normalised
   * @param texts [T, embedDim], normalised
   * @returns [B, T]; the caller disposes it
   */
  logits(images: Tensor2D, texts: Tensor2D): Promise<Tensor2D> {
    return pass(async () => {
      await this.logitScale.load();
      return tidy(() => {
        const logits = mul<Tensor2D>(exp(this.logitScale.tensor), matMul(images, texts, false, true));
        return tap("logits_per_image", logits);
      });
    });
  }

  /** Frees the weights and closes the file they come from, after the passes under way. Can be called twice. */
  dispose(): Promise<void> {
    this.#disposed ??= pass(async () => {
      this.weights.dispose();
      await this.weights.store.close();
    });
    return this.#disposed;
  }
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
