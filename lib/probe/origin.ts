/** What made features, as their metadata say it. */
import { readFileSync } from "node:fs";
import { getBackend } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { modelIdentity, type Tower } from "../node/model-identity.ts";
import { embeddingTap, type EmbedImagesOptions } from "../tasks/embed.ts";
import type { Metadata } from "./features.ts";

/** The tap of the whole text tower. */
export const textTap = "text";

/** The metadata of features of images that are embedded so. */
export async function describeImageFeatures(
  model: Clip,
  {
    tap = embeddingTap,
    pool = "class",
    normalize = false,
    exifOrientation = false,
  }: Pick<EmbedImagesOptions, "tap" | "pool" | "normalize" | "exifOrientation">,
): Promise<Metadata> {
  return {
    ...(await describe(model, "image", normalize)),
    tap,
    ...(tap === embeddingTap ? {} : { pool }),
    preprocess: JSON.stringify({ ...model.preprocess, exif: exifOrientation }),
  };
}

/** The metadata of features of texts. */
export async function describeTextFeatures(model: Clip, normalize: boolean): Promise<Metadata> {
  return { ...(await describe(model, "text", normalize)), tap: textTap };
}

async function describe(model: Clip, tower: Tower, normalize: boolean): Promise<Metadata> {
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
