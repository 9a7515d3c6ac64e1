/** The metadata that record how features were made, and their comparison. */
import { getBackend } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { embeddingTap, type EmbedLoadedOptions } from "../tasks/embed-images.ts";
import { textTap, type EmbedTextsOptions } from "../tasks/embed-texts.ts";
import { InputError } from "../errors/input-error.ts";
import type { Metadata } from "./features.ts";
import type { Host, LoadImagesOptions } from "./host.ts";
import { modelDigest, type Tower } from "./model-digest.ts";

/** What a host knows of the names in metadata. */
export type Naming = Pick<Host, "madeBy" | "modelName">;

/** The metadata of image features for each tap. */
export async function describeImageFeatures(
  host: Naming,
  model: Clip,
  taps: readonly string[],
  options: Pick<EmbedLoadedOptions, "pool" | "normalize"> &
    Pick<LoadImagesOptions, "exifOrientation" | "convertToRgbFirst">,
): Promise<Metadata[]> {
  const { pool, normalize, exifOrientation = false, convertToRgbFirst = false } = options;
  const common = await describe(host, model, "image", normalize);
  const preprocess = JSON.stringify({
    ...model.preprocess,
    exif: exifOrientation,
    // Only where it is true: features files without it were made before the option existed.
    ...(convertToRgbFirst && { rgb_first: true }),
  });
  return taps.map((tap) => ({ ...common, ...tapAndPooling(tap, embeddingTap, pool), preprocess }));
}

/** The metadata of text features for each tap. */
export async function describeTextFeatures(
  host: Naming,
  model: Clip,
  taps: readonly string[],
  { pool, normalize }: EmbedTextsOptions,
): Promise<Metadata[]> {
  const common = await describe(host, model, "text", normalize);
  return taps.map((tap) => ({ ...common, ...tapAndPooling(tap, textTap, pool) }));
}

/** Embeddings are not pooled. */
function tapAndPooling(tap: string, embedding: string, pool: string = "class"): Metadata {
  return tap === embedding ? { tap } : { tap, pool };
}

async function describe(host: Naming, model: Clip, tower: Tower, normalize = false): Promise<Metadata> {
  const { precision } = model.weights;
  return {
    model: host.modelName(model.weights.store.name),
    model_sha256: await modelDigest(model, tower),
    normalized: `${normalize}`,
    backend: getBackend(),
    // Only in reduced precision: features files without it are float32.
    ...(precision !== "f32" && { precision }),
    made_by: host.madeBy,
  };
}

/**
 * Checks that features are embeddings of images by a model, as its queries are.
 *
 * @throws InputError for features of another tap, model or preprocessing, as far as the metadata tell
 */
export async function assertSearchable(
  host: Naming,
  model: Clip,
  { name, metadata }: { readonly name: string; readonly metadata: Metadata },
): Promise<void> {
  const { tap = embeddingTap } = metadata;
  if (tap !== embeddingTap) {
    throw new InputError(
      `${name}: expected features of the tap "${embeddingTap}", found "${tap}", which cannot be searched; embed the images without --tap`,
    );
  }
  const [current] = await describeImageFeatures(host, model, [tap], embeddingOptions(metadata));
  assertSameOrigin(current!, metadata, name, "the model in use");
}

/** The options with which features were embedded. */
export function embeddingOptions({
  pool,
  normalized,
  preprocess,
}: Metadata): Pick<EmbedLoadedOptions, "normalize" | "pool"> &
  Required<Pick<LoadImagesOptions, "exifOrientation" | "convertToRgbFirst">> {
  const isOn = (name: string): boolean => preprocess?.includes(`"${name}":true`) ?? false;
  return {
    normalize: normalized === "true",
    exifOrientation: isOn("exif"),
    convertToRgbFirst: isOn("rgb_first"),
    ...(pool === "class" || pool === "mean" ? { pool } : {}),
  };
}

/** The metadata that must agree between features, or between features and a model, to compare their values. */
const comparedKeys: readonly (readonly [key: string, title: string])[] = [
  ["tap", "tap"],
  ["pool", "pooling"],
  ["normalized", "normalization"],
  ["preprocess", "preprocessing"],
];

/**
 * Rejects features of another model, layer or preprocessing. Only metadata that both sides have are compared.
 *
 * @param expected what a probe was fitted on
 * @param found the metadata of features, or of the current model
 * @param where the file that does not match
 * @param what it should match
 * @throws InputError that says what differs
 */
export function assertSameOrigin(expected: Metadata, found: Metadata, where: string, what: string): void {
  const differs = (title: string, wanted: string, got: string): InputError =>
    new InputError(`${where}: made with another ${title} than ${what}: expected ${wanted}, found ${got}`);
  const both = (key: string): boolean => expected[key] !== undefined && found[key] !== undefined;
  const identity = both("model_sha256") ? "model_sha256" : "model";
  if (both(identity) && expected[identity] !== found[identity]) {
    const named = (of: Metadata): string =>
      `${of["model"] ?? "a model"}${of["model_sha256"] === undefined ? "" : ` (${of["model_sha256"].slice(0, 12)})`}`;
    throw differs("model", named(expected), named(found));
  }
  for (const [key, title] of comparedKeys) {
    const defaults = key === "tap" ? embeddingTap : undefined;
    const [wanted, got] = [expected[key] ?? defaults, found[key] ?? defaults];
    if (wanted !== undefined && got !== undefined && wanted !== got) throw differs(title, wanted, got);
  }
}

/** The precision, for the key of a cache: nothing for float32, so that keys stay as they were. */
export function precisionOf({ precision }: Metadata): readonly string[] {
  return precision === undefined ? [] : [precision];
}
