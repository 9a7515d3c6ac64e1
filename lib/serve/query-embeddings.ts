/** The embeddings of queries: cached, and those that are missing computed in joint passes. */
import { InputError } from "../errors/input-error.ts";
import { sha256 } from "../features/digest.ts";
import type { BatchedEncoder } from "../tasks/batched-encoder.ts";
import { clean } from "../text/clean/clean.ts";
import { Lru } from "./lru.ts";
import { Counter, Histogram, type Metric } from "./metrics.ts";
import { SharedWork } from "./shared-work.ts";

/** What {@link QueryEmbeddings} keeps, and how it reads images. */
export interface QueryEmbeddingsOptions {
  /** Embeddings that are kept: the most recently used. */
  readonly cached: number;
  /**
   * Decodes an image for the model.
   *
   * @param name for errors
   * @returns [3, H, W]
   * @throws InputError if it cannot be read
   */
  readonly readPixels: (
    bytes: Uint8Array<ArrayBuffer>,
    name: string,
    signal: AbortSignal,
  ) => Promise<Float32Array>;
}

/** Characters of a text, at most. The model reads the first tokens only. */
export const longestText = 10_000;

/** Which tower embeds. */
export type Modality = "text" | "image";

/** A text or an image. */
interface Item {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly encode: (signal: AbortSignal) => Promise<Float32Array>;
}

/** Embeds the texts and images of queries, each once. */
export class QueryEmbeddings {
  readonly #encoder: Pick<BatchedEncoder, "encodeImages" | "encodeTexts">;
  readonly #readPixels: QueryEmbeddingsOptions["readPixels"];
  readonly #cache: Lru<Float32Array>;
  readonly #shared = new SharedWork<Float32Array>();
  readonly #lookups = new Counter(
    "clipscope_query_embeddings_total",
    "Texts and images of queries, by whether their embedding was cached.",
  );
  readonly #times = new Histogram(
    "clipscope_encode_seconds",
    "Time from an embedding's request to its end: decoding, waiting for a pass, and the pass.",
  );

  /** @param encoder gives embeddings of norm 1 */
  constructor(
    encoder: Pick<BatchedEncoder, "encodeImages" | "encodeTexts">,
    { cached, readPixels }: QueryEmbeddingsOptions,
  ) {
    this.#encoder = encoder;
    this.#readPixels = readPixels;
    this.#cache = new Lru(cached);
  }

  get metrics(): readonly Metric[] {
    return [this.#lookups, this.#times];
  }

  /**
   * Embeds texts.
   *
   * @returns [embedDim] each, of norm 1; not to be changed
   * @throws InputError for a blank or long text; QueueFullError; the signal's reason if it is aborted
   */
  texts(texts: readonly string[], signal?: AbortSignal): Promise<readonly Float32Array[]> {
    for (const text of texts) assertText(text);
    const encode = async (text: string, of: AbortSignal): Promise<Float32Array> =>
      (await this.#encoder.encodeTexts([text], { signal: of }))[0]!;
    const items = texts.map((text) => ({
      content: new TextEncoder().encode(text),
      encode: (of: AbortSignal) => encode(text, of),
    }));
    return this.#all("text", items, signal);
  }

  /**
   * Embeds images.
   *
   * @param images encoded, with their names for errors
   * @returns [embedDim] each, of norm 1; not to be changed
   * @throws InputError for an image that cannot be read; QueueFullError; the signal's reason if it is aborted
   */
  images(
    images: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[],
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    const encode = async (
      bytes: Uint8Array<ArrayBuffer>,
      name: string,
      of: AbortSignal,
    ): Promise<Float32Array> => {
      const pixels = await this.#readPixels(bytes, name, of);
      return (await this.#encoder.encodeImages([pixels], { signal: of }))[0]!;
    };
    const items = images.map(({ bytes, name }) => ({
      content: bytes,
      encode: (of: AbortSignal) => encode(bytes, name, of),
    }));
    return this.#all("image", items, signal);
  }

  async #all(
    modality: Modality,
    items: readonly Item[],
    signal?: AbortSignal,
  ): Promise<readonly Float32Array[]> {
    // A signal for each item: the first failure gives up the rest, which nobody waits for.
    const stops = items.map(() => new AbortController());
    const giveUp = (): void => {
      for (const stop of stops) stop.abort(signal?.reason);
    };
    signal?.throwIfAborted();
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      return await Promise.all(items.map((item, i) => this.#one(modality, item, stops[i]!.signal)));
    } catch (error) {
      giveUp();
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  async #one(modality: Modality, { content, encode }: Item, signal: AbortSignal): Promise<Float32Array> {
    const key = `${modality}:${await sha256(content)}`;
    const cached = this.#cache.get(key);
    this.#lookups.add({ modality, cached: String(cached !== undefined) });
    if (cached !== undefined) return cached;
    return this.#shared.run(
      key,
      async (of) => {
        const embedding = await this.#times.time(() => encode(of), { modality });
        this.#cache.set(key, embedding);
        return embedding;
      },
      signal,
    );
  }
}

function assertText(text: string): void {
  if (text.length > longestText) {
    throw new InputError(`expected a text of at most ${longestText} characters, found ${text.length}`);
  }
  if (clean(text) === "") throw new InputError("expected a text, found a blank one");
}
