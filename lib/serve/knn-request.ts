/**
 * Reads the requests of `POST /knn-service` and `POST /metadata`.
 *
 * The fields of clip-retrieval are those that its clients send: `null` and "" are as good as missing, numbers may be
 * texts. Fields of this server's own: `terms`, `where`, `min_similarity`, `return_images`, `return_embeddings`.
 * Source: clip_retrieval/clip_back.py, KnnService.post; clip_client.py; front/src/clip-service.js.
 */
import type { JsonValue } from "../json/json-value.ts";
import type { AskedFilters } from "./filters.ts";
import type { Side } from "./index-service.ts";
import { fromBase64, isBase64 } from "../features/base64.ts";

/** Rows of an answer, at most. */
export const mostResults = 10_000;

/** Texts, images and rows of a query, at most. */
export const mostTerms = 64;

/** A part of a query as it is sent. */
export type SentTerm = { readonly weight: number } & SentContent;
export type SentContent =
  | { readonly text: string }
  | { readonly image: Uint8Array<ArrayBuffer> }
  | { readonly imageUrl: string }
  | { readonly vector: readonly number[] }
  | { readonly id: number };

export interface KnnRequest {
  /** The name of an index. */
  readonly index: string;
  readonly side: Side;
  readonly terms: readonly SentTerm[];
  /** Results with metadata. */
  readonly images: number;
  /** Results, of which those beyond `images` have their id and similarity alone. */
  readonly ids: number;
  readonly asked: AskedFilters;
  readonly deduplicate: boolean;
  readonly where: string | null;
  readonly min: number | null;
  readonly returnImages: boolean;
  readonly returnEmbeddings: boolean;
}

export interface MetadataRequest {
  readonly index: string;
  readonly ids: readonly number[];
}

/** @throws InputError for a field that is missing, unknown or of the wrong kind */
export function readKnnRequest(body: JsonValue): KnnRequest {
  const images = body.at("num_images").integer(0, mostResults);
  const request = {
    index: body.at("indice_name").string(),
    side: body.at("modality").oneOf("image", "text"),
    terms: readTerms(body),
    images,
    ids: body.at("num_result_ids").or(images).integer(0, mostResults),
    asked: {
      safety: isOn(body, "use_safety_model"),
      violence: isOn(body, "use_violence_detector"),
      mclip: isOn(body, "use_mclip"),
      aesthetic: readAesthetic(body),
    },
    deduplicate: isOn(body, "deduplicate"),
    where: readText(body.at("where")),
    min: body.at("min_similarity").isMissing ? null : body.at("min_similarity").number(),
    returnImages: body.at("return_images").or(true).boolean(),
    returnEmbeddings: isOn(body, "return_embeddings"),
  };
  // A misspelt filter must not be ignored.
  body.expectAllRead();
  return request;
}

/** @throws InputError as `readKnnRequest` */
export function readMetadataRequest(body: JsonValue): MetadataRequest {
  const ids = body.at("ids");
  if (ids.array().length > mostResults) throw ids.error(`at most ${mostResults} ids`);
  const request = { index: body.at("indice_name").string(), ids: ids.integers(0) };
  body.expectAllRead();
  return request;
}

/** An encoded image in base64, with or without the beginning of a `data:` URL. @throws InputError if it is not */
export function readImage(value: JsonValue): Uint8Array<ArrayBuffer> {
  const text = value.string();
  const [head = ""] = /^data:[\w/+.-]*;base64,/.exec(text) ?? [];
  const base64 = text.slice(head.length).replaceAll(/\s/g, "");
  if (base64 === "" || !isBase64(base64)) throw value.error("an image in base64");
  return new Uint8Array(fromBase64(base64));
}

function isOn(body: JsonValue, field: string): boolean {
  return body.at(field).or(false).boolean();
}

function readText(value: JsonValue): string | null {
  return value.isMissing || value.value === "" ? null : value.string();
}

/** @throws InputError unless exactly one of the fields is there */
function readTerms(body: JsonValue): SentTerm[] {
  const terms = body.at("terms");
  const content = readContent(body, ["text", "image", "image_url", "embedding_input"]);
  if (terms.isMissing && content.length === 1) return [{ ...content[0]!, weight: 1 }];
  if (terms.isMissing || content.length > 0) {
    throw body.error("one of text, image, image_url, embedding_input and terms");
  }
  const items = terms.items();
  if (items.length === 0 || items.length > mostTerms) throw terms.error(`1 to ${mostTerms} terms`);
  return items.map((item) => {
    const [of, ...others] = readContent(item, ["text", "image", "image_url", "embedding_input", "id"]);
    if (of === undefined || others.length > 0) {
      throw item.error("one of text, image, image_url, embedding_input and id");
    }
    const weight = item.at("weight").or(1).number();
    item.expectAllRead();
    return { ...of, weight };
  });
}

type ContentField = "text" | "image" | "image_url" | "embedding_input" | "id";

function readContent(from: JsonValue, fields: readonly ContentField[]): SentContent[] {
  return fields.flatMap((field): SentContent[] => {
    const value = from.at(field);
    if (value.isMissing || value.value === "") return [];
    switch (field) {
      case "text":
        return [{ text: value.string() }];
      case "image":
        return [{ image: readImage(value) }];
      case "image_url":
        return [{ imageUrl: value.string() }];
      case "embedding_input":
        return [{ vector: value.items().map((item) => item.number()) }];
      case "id":
        return [{ id: value.integer(0) }];
    }
  });
}

const defaultAestheticWeight = 0.5;

function readAesthetic(body: JsonValue): AskedFilters["aesthetic"] {
  const score = readNumber(body.at("aesthetic_score"));
  const weight = readNumber(body.at("aesthetic_weight")) ?? defaultAestheticWeight;
  if (score === null) return null;
  if (!Number.isInteger(score) || score < 0 || score > 9) {
    throw body.at("aesthetic_score").error('a whole number from 0 to 9, or ""');
  }
  return { score, weight };
}

/** A number, or the text of one. */
function readNumber(value: JsonValue): number | null {
  if (value.isMissing || value.value === "") return null;
  if (typeof value.value !== "string") return value.number();
  const number = Number(value.value);
  if (value.value.trim() === "" || !Number.isFinite(number)) throw value.error("a number");
  return number;
}
