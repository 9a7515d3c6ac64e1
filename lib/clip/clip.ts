/**
 * CLIP: two towers into one space, and the scale of their similarity.
 *
 * logits = exp(logit_scale) · î · t̂ᵀ, with î and t̂ the L2-normalised embeddings.
 * Paper: Radford et al., 2021 (arXiv 2103.00020), figure 3. Source: open_clip/model.py, CustomTextCLIP and CLIP.
 * State dict: `visual.*`, `text.*` (the English models: at the root), `logit_scale` [].
 */
import {
  concat,
  div,
  exp,
  gather,
  matMul,
  maximum,
  mul,
  sqrt,
  square,
  sum,
  tensor1d,
  tidy,
} from "@tensorflow/tfjs-core";
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import { run } from "../nn/module.ts";
import { InputError } from "../errors/input-error.ts";
import { pass, tap, tapOwned } from "../tensor/taps.ts";
import { Weights, type Residency, type Weight, type WeightScope } from "../tensor/weights.ts";
import { SyntheticStore } from "../tensor/synthetic.ts";
import type { TensorStore } from "../tensor/safetensors.ts";
import type { ClipConfig } from "./config/open-clip.ts";
import type { PreprocessConfig } from "./config/preprocess-config.ts";
import { PlainTextTower } from "./text/clip/clip-text-tower.ts";
import { RobertaTextTower } from "./text/xlm-roberta/roberta-text-tower.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { VisionTransformer } from "./vision/vision-transformer.ts";

/**
 * Old files carry these buffers, which no layer reads: the numbers 0, 1, 2, …, the causal mask, and sizes that OpenAI's
 * own files keep.
 */
export const ignoredTensors: readonly string[] = [
  "text.transformer.embeddings.position_ids",
  "attn_mask",
  "text.attn_mask",
  "input_resolution",
  "context_length",
  "vocab_size",
];

/** Texts of similar length that run together. */
const textBatchSize = 32;

export interface EncodeOptions {
  /** Divide each embedding by its L2 norm. Default: false, as in open_clip. */
  readonly normalize?: boolean;
}

export interface ClipParts {
  readonly config: ClipConfig;
  readonly store: TensorStore;
  readonly preprocess: PreprocessConfig;
  /** Called at the first text. */
  readonly loadTokenizer: () => Promise<Tokenizer>;
  /** Default: resident. */
  readonly residency?: Residency;
}

export class Clip {
  readonly config: ClipConfig;
  /** How pictures become pixels of this model. */
  readonly preprocess: PreprocessConfig;
  readonly visual: VisionTransformer;
  readonly text: RobertaTextTower | PlainTextTower;
  readonly logitScale: Weight;
  readonly weights: Weights;

  readonly #loadTokenizer: () => Promise<Tokenizer>;
  #tokenizer: Promise<Tokenizer> | null = null;

  /** @throws InputError that lists every tensor that is missing, misshapen or unexpected */
  constructor({ config, store, preprocess, loadTokenizer, residency = "resident" }: ClipParts) {
    this.config = config;
    this.preprocess = preprocess;
    this.#loadTokenizer = loadTokenizer;
    this.weights = new Weights(store, residency);
    const { visual, text, logitScale } = network(this.weights.root, config);
    this.visual = visual;
    this.text = text;
    this.logitScale = logitScale;
    this.weights.assertAllRead(ignoredTensors);
  }

  /** The model's tokenizer. @throws InputError if the model directory has none, or it is damaged */
  tokenizer(): Promise<Tokenizer> {
    this.#tokenizer ??= this.#loadTokenizer().catch((error: unknown) => {
      this.#tokenizer = null; // once the file is there, the next call finds it
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
  async encodeImage(pixels: Tensor4D, { normalize = false }: EncodeOptions = {}): Promise<Tensor2D> {
    assertPixels(pixels, this.config, "encodeImage");
    return pass(async () => {
      const embedding = await run(this.visual.steps(pixels));
      return normalize ? normalized(embedding, "image_features") : embedding;
    });
  }

  /**
   * Embeds texts in any of the model's languages.
   *
   * @returns [texts, embedDim]; the caller disposes it
   * @throws InputError if there are no texts, or no tokenizer
   */
  async encodeText(texts: readonly string[], options: EncodeOptions = {}): Promise<Tensor2D> {
    const tokenizer = await this.tokenizer();
    return this.encodeTokens(
      texts.map((text) => tokenizer.encode(text)),
      options,
    );
  }

  /**
   * Embeds token ids. Rows are grouped by length, and each group runs only as long as its longest row: padding changes
   * no number, so the results are those of rows padded to the context length, in the order given.
   *
   * @param rows ids with `<s>` and `</s>`; padding behind them is cut off
   * @returns [B, embedDim]; the caller disposes it
   * @throws InputError for a row without tokens, longer than the context, or with an id outside the vocabulary
   */
  async encodeTokens(
    rows: readonly (readonly number[])[],
    { normalize = false, batchSize = textBatchSize }: EncodeOptions & { readonly batchSize?: number } = {},
  ): Promise<Tensor2D> {
    assertRows(rows, this.config, "encodeTokens");
    if (!(batchSize >= 1))
      throw new InputError(`encodeTokens: expected a batchSize above 0, got ${batchSize}`);
    const order = rows.map((_, i) => i);
    if (rows.length > batchSize) order.sort((a, b) => (rows[a]?.length ?? 0) - (rows[b]?.length ?? 0));
    return pass(async () => {
      const embeddings: Tensor2D[] = [];
      try {
        for (let start = 0; start < order.length; start += batchSize) {
          const group = order.slice(start, start + batchSize).map((i) => rows[i] ?? []);
          embeddings.push(await encodeRows(this.text, group));
        }
        const embedding = tidy(() => inOrder(embeddings, order));
        return normalize ? normalized(embedding, "text_features") : embedding;
      } finally {
        for (const embedding of embeddings) embedding.dispose();
      }
    });
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

  /** Frees the weights and closes the file they come from, when the passes under way are done. */
  dispose(): Promise<void> {
    return pass(async () => {
      this.weights.dispose();
      await this.weights.store.close();
    });
  }
}

interface Network {
  readonly visual: VisionTransformer;
  readonly text: RobertaTextTower | PlainTextTower;
  readonly logitScale: Weight;
}

function network(root: WeightScope, config: ClipConfig): Network {
  return {
    visual: new VisionTransformer(root.at("visual"), config),
    text: textTower(root, config),
    logitScale: root.get("logit_scale", config.nonscalarLogitScale ? [1] : []),
  };
}

function textTower(root: WeightScope, { text, embedDim, quickGelu }: ClipConfig): Network["text"] {
  if (text.kind === "xlm-roberta") return new RobertaTextTower(root.at("text"), text, embedDim);
  const scope = text.prefix === "" ? root : root.at(text.prefix);
  return new PlainTextTower(scope, text, embedDim, quickGelu);
}

/** Name and shape of every tensor that an architecture's weights hold; nothing is loaded. */
export function declaredTensors(config: ClipConfig): ReadonlyMap<string, readonly number[]> {
  const weights = new Weights(new SyntheticStore([]));
  network(weights.root, config);
  return weights.declared;
}

/** x / max(‖x‖₂, 1e-12) for each row, so that zeros stay zeros. [B, D]. Source: torch.nn.functional.normalize. */
export function l2Normalize(x: Tensor2D): Tensor2D {
  return tidy(() => div(x, maximum(sqrt(sum(square(x), -1, true)), 1e-12)));
}

function encodeRows(text: Network["text"], rows: readonly (readonly number[])[]): Promise<Tensor2D> {
  return run(text instanceof PlainTextTower ? text.steps(text.batch(rows)) : text.steps(text.batch(rows)));
}

/** @throws InputError unless they are what the image tower takes */
export function assertPixels(pixels: Tensor4D, { vision }: ClipConfig, where: string): void {
  const [height, width] = vision.imageSize;
  if (pixels.shape[0] === 0 || pixels.shape.slice(1).join() !== [3, height, width].join()) {
    throw new InputError(
      `${where}: expected pixels of the shape [B, 3, ${height}, ${width}], got [${pixels.shape}]`,
    );
  }
  if (pixels.dtype !== "float32") {
    throw new InputError(`${where}: expected float32 pixels, normalised, got ${pixels.dtype}`);
  }
}

/** @throws InputError unless there are rows, all of them fit into the context, and ids are whole numbers */
export function assertRows(rows: readonly (readonly number[])[], { text }: ClipConfig, where: string): void {
  if (rows.length === 0) throw new InputError(`${where}: expected at least one text, got none`);
  const { contextLength } = text;
  const tooLong = rows.findIndex((row) => row.length > contextLength);
  if (tooLong !== -1) {
    throw new InputError(
      `${where}: row ${tooLong} has ${rows[tooLong]!.length} ids, the context holds ${contextLength}`,
    );
  }
  for (const [r, row] of rows.entries()) {
    const wrong = row.find((id) => (id | 0) !== id); // an Int32Array would make some id of it
    if (wrong !== undefined) {
      throw new InputError(`${where}: row ${r} of the token ids holds ${wrong}, expected whole numbers`);
    }
  }
}

/** Normalises, emits the result as a tap, and frees the embedding. */
function normalized(embedding: Tensor2D, name: "image_features" | "text_features"): Tensor2D {
  const features = l2Normalize(embedding);
  embedding.dispose();
  return tapOwned(name, features);
}

/** Rows that ran in the order `order`, put back where they came from. */
function inOrder(embeddings: readonly Tensor2D[], order: readonly number[]): Tensor2D {
  const position = new Int32Array(order.length);
  for (const [at, row] of order.entries()) position[row] = at;
  return gather(concat([...embeddings], 0), tensor1d(position, "int32"));
}
