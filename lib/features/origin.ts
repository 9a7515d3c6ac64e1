/** What made features, as their metadata say it. */
import { readFileSync } from "node:fs";
import { getBackend } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { modelIdentity, type Tower } from "../node/models/model-identity.ts";
import { embeddingTap, type EmbedTapsOptions } from "../tasks/embed.ts";
import { textTap, type EmbedTextsOptions } from "../tasks/embed-texts.ts";
import type { Metadata } from "./features.ts";

/** The metadata of features of images that are embedded so, of each tap. */
export async function describeImageFeatures(
  model: Clip,
  taps: readonly string[],
  {
    pool,
    normalize,
    exifOrientation = false,
  }: Pick<EmbedTapsOptions, "pool" | "normalize" | "exifOrientation">,
): Promise<Metadata[]> {
  const common = await describe(model, "image", normalize);
  const preprocess = JSON.stringify({ ...model.preprocess, exif: exifOrientation });
  return taps.map((tap) => ({ ...common, ...ofTap(tap, embeddingTap, pool), preprocess }));
}

/** The metadata of features of texts, of each tap. */
export async function describeTextFeatures(
  model: Clip,
  taps: readonly string[],
  { pool, normalize }: EmbedTextsOptions,
): Promise<Metadata[]> {
  const common = await describe(model, "text", normalize);
  return taps.map((tap) => ({ ...common, ...ofTap(tap, textTap, pool) }));
}

/** Of an embedding nothing is pooled. */
function ofTap(tap: string, embedding: string, pool: string = "class"): Metadata {
  return tap === embedding ? { tap } : { tap, pool };
}

async function describe(model: Clip, tower: Tower, normalize = false): Promise<Metadata> {
  const { name, sha256 } = await modelIdentity(model, tower);
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return {
    model: name,
    model_sha256: sha256,
    normalized: `${normalize}`,
    backend: getBackend(),
    made_by: `clipscope ${version}`,
  };
}
