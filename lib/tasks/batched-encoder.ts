/** Embeds single images and texts of concurrent callers in joint passes, for servers. */
import { tensor4d, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { assertModel } from "../clip/inputs.ts";
import { assertOptions, assertSignal, assertSwitch, assertWhole } from "../errors/arguments.ts";
import { InputError } from "../errors/input-error.ts";
import { disposing } from "../tensor/disposing.ts";
import { BatchQueue } from "./batch-queue.ts";

/** Options of a {@link BatchedEncoder}. */
export interface BatchedEncoderOptions {
  /** The most images, or texts, of a pass. Default: 16. */
  readonly batchSize?: number;
  /** How long a call waits for others, in milliseconds. Default: 5. */
  readonly delay?: number;
  /** The most images, and the most texts, that wait. Default: 1024. */
  readonly mostWaiting?: number;
  /** Divide each embedding by its L2 norm. Default: false. */
  readonly normalize?: boolean;
}

/** Options of one call. */
export interface BatchedCallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
}

/** A model whose concurrent calls share passes. The embeddings are those of separate calls up to float32 rounding. */
export class BatchedEncoder {
  readonly #model: Clip;
  readonly #images: BatchQueue<Float32Array, Float32Array>;
  readonly #texts: BatchQueue<readonly number[], Float32Array>;

  /** @throws InputError for a wrong option */
  constructor(model: Clip, options: BatchedEncoderOptions = {}) {
    assertModel(model, "BatchedEncoder");
    assertOptions(options, ["batchSize", "delay", "mostWaiting", "normalize"], "BatchedEncoder");
    const { batchSize = 16, delay = 5, mostWaiting = 1024, normalize = false } = options;
    assertWhole(batchSize, 1, "BatchedEncoder: batchSize");
    assertWhole(delay, 0, "BatchedEncoder: delay");
    assertWhole(mostWaiting, 1, "BatchedEncoder: mostWaiting");
    assertSwitch(normalize, "BatchedEncoder: normalize");
    this.#model = model;
    const limits = { batchSize, delay, mostWaiting };
    const [height, width] = model.config.vision.imageSize;
    this.#images = new BatchQueue({
      ...limits,
      run: async (images) => {
        const pixels = new Float32Array(images.length * 3 * height * width);
        for (const [i, image] of images.entries()) pixels.set(image, i * image.length);
        const batch = tensor4d(pixels, [images.length, 3, height, width]);
        const embeddings = await rowsOf(
          await disposing(batch, (held) => model.encodeImage(held, { normalize })),
        );
        await nextTurn();
        return embeddings;
      },
    });
    this.#texts = new BatchQueue({
      ...limits,
      run: async (rows) => {
        const embeddings = await rowsOf(await model.encodeTokens(rows, { normalize, batchSize }));
        await nextTurn();
        return embeddings;
      },
    });
  }

  /** Calls' images and texts that no pass has taken yet. */
  get waiting(): { readonly images: number; readonly texts: number } {
    return { images: this.#images.waiting, texts: this.#texts.waiting };
  }

  /**
   * Embeds images.
   *
   * @param images [3, H, W] each, as `embedLoadedImages` takes them
   * @returns [embedDim] each
   * @throws InputError for pixels of another size; QueueFullError; the signal's reason if it is aborted
   */
  async encodeImages(
    images: readonly Float32Array[],
    options: BatchedCallOptions = {},
  ): Promise<readonly Float32Array[]> {
    const signal = signalOf(options, "encodeImages");
    const [height, width] = this.#model.config.vision.imageSize;
    const size = 3 * height * width;
    for (const image of images) {
      if (image.length === size) continue;
      throw new InputError(
        `encodeImages: expected ${size} values [3, ${height}, ${width}], got ${image.length}`,
      );
    }
    return this.#images.submit(images, signal);
  }

  /**
   * Embeds texts.
   *
   * @returns [embedDim] each
   * @throws InputError for a model without a tokenizer; QueueFullError; the signal's reason if it is aborted
   */
  async encodeTexts(
    texts: readonly string[],
    options: BatchedCallOptions = {},
  ): Promise<readonly Float32Array[]> {
    const signal = signalOf(options, "encodeTexts");
    const tokenizer = await this.#model.tokenizer();
    return this.#texts.submit(
      texts.map((text) => tokenizer.encode(text)),
      signal,
    );
  }

  /** Rejects the calls that wait, and later ones. @returns when the running passes have ended */
  async close(): Promise<void> {
    await Promise.all([this.#images.close(), this.#texts.close()]);
  }
}

function signalOf(options: BatchedCallOptions, where: string): AbortSignal | undefined {
  assertOptions(options, ["signal"], where);
  assertSignal(options.signal, `${where}: signal`);
  return options.signal;
}

/** The rows of a matrix, which is disposed. */
async function rowsOf(matrix: Tensor2D): Promise<Float32Array[]> {
  const [rows, width] = matrix.shape;
  const values = await disposing(matrix, (held) => held.data<"float32">());
  return Array.from({ length: rows }, (_, row) => values.slice(row * width, (row + 1) * width));
}

/**
 * Lets the event loop turn. A pass on the CPU occupies the thread, and the next one starts with the last one's result:
 * without this, a server would not read requests until its queue is empty.
 */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
