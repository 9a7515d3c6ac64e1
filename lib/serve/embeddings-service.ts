/**
 * Answers `POST /v1/embeddings` in the form of OpenAI's API; images are sent as Jina's API has them.
 *
 * Source: https://platform.openai.com/docs/api-reference/embeddings, https://api.jina.ai/redoc.
 */
import { toBase64 } from "../features/base64.ts";
import type { JsonValue } from "../json/json-value.ts";
import { mostTerms, readImage } from "./knn-request.ts";
import type { QueryEmbeddings } from "./query-embeddings.ts";

/** What is answered, in OpenAI's form. */
export interface EmbeddingsAnswer {
  readonly object: "list";
  readonly data: readonly {
    readonly object: "embedding";
    readonly index: number;
    /** In base64 the bytes of float32 numbers, little-endian. */
    readonly embedding: readonly number[] | string;
  }[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/** What an {@link EmbeddingsService} answers with. */
export interface EmbeddingsServiceOptions {
  readonly embeddings: QueryEmbeddings;
  /** The model's name. Requests may give any: a server has one model. */
  readonly model: string;
  readonly width: number;
  /** Tokens of a text as the model reads it. */
  readonly countTokens: (text: string) => Promise<number>;
}

type Input = { readonly text: string } | { readonly image: Uint8Array<ArrayBuffer> };

/** Embeds texts and images of requests. */
export class EmbeddingsService {
  readonly #options: EmbeddingsServiceOptions;

  constructor(options: EmbeddingsServiceOptions) {
    this.#options = options;
  }

  /** @throws InputError for a request that cannot be answered; QueueFullError; the signal's reason */
  async embed(body: JsonValue, signal: AbortSignal): Promise<EmbeddingsAnswer> {
    const { embeddings, model, width, countTokens } = this.#options;
    const inputs = readInputs(body.at("input"));
    const format = body.at("encoding_format").or("float").oneOf("float", "base64");
    body.at("dimensions").or(width).integer(width, width);
    body.at("model").or(model).string();
    body.at("user").or("").string();
    body.expectAllRead();
    const texts = inputs.flatMap((input) => ("text" in input ? [input.text] : []));
    const images = inputs.flatMap((input, i) =>
      "image" in input ? [{ name: `input[${i}]`, bytes: input.image }] : [],
    );
    const [ofTexts, ofImages] = await Promise.all([
      embeddings.texts(texts, signal),
      embeddings.images(images, signal),
    ]);
    const [nextText, nextImage] = [ofTexts.values(), ofImages.values()];
    const tokens = (await Promise.all(texts.map(countTokens))).reduce((sum, count) => sum + count, 0);
    return {
      object: "list",
      data: inputs.map((input, index) => {
        const vector = ("text" in input ? nextText : nextImage).next().value!;
        return { object: "embedding", index, embedding: encoded(vector, format) };
      }),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  }
}

function readInputs(input: JsonValue): Input[] {
  if (typeof input.value === "string") return [{ text: input.value }];
  const isSingle = typeof input.value === "object" && input.value !== null && !Array.isArray(input.value);
  const items = isSingle ? [input] : input.items();
  if (items.length === 0 || items.length > mostTerms) throw input.error(`1 to ${mostTerms} texts or images`);
  return items.map((item) => {
    if (typeof item.value === "string") return { text: item.value };
    if (typeof item.value !== "object") throw item.error("a text, or an object with text or image");
    const [text, image] = [item.at("text"), item.at("image")];
    item.expectAllRead();
    if (text.isMissing === image.isMissing) throw item.error("an object with text or image");
    return text.isMissing ? { image: readImage(image) } : { text: text.string() };
  });
}

function encoded(vector: Float32Array, format: "float" | "base64"): readonly number[] | string {
  if (format === "float") return Array.from(vector);
  const bytes = new Uint8Array(4 * vector.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of vector.entries()) view.setFloat32(4 * i, value, true);
  return toBase64(bytes);
}
