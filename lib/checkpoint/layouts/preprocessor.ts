/**
 * Reads Hugging Face's `preprocessor_config.json` into open_clip's `preprocess_cfg`.
 *
 * Source: transformers, CLIPImageProcessor and ChineseCLIPImageProcessor
 */
import type { JsonValue } from "../../json/json-value.ts";

export interface Preprocess {
  readonly interpolation: "bicubic" | "bilinear";
  readonly resize_mode: "squash" | "shortest";
}

const interpolations: Readonly<Record<number, Preprocess["interpolation"]>> = { 2: "bilinear", 3: "bicubic" };

/**
 * @param json undefined if the file is missing
 * @param usual what the model's own code does, for options that the file does not have
 * @throws InputError for preprocessing that open_clip cannot express
 */
export function readPreprocessor(
  json: JsonValue | undefined,
  usual: Preprocess,
  imageSize: number,
): Readonly<Record<string, unknown>> {
  if (json === undefined) return { ...usual };
  json.neutral({ do_resize: [true], do_normalize: [true], do_rescale: [true] });
  const resample = json.at("resample").or(usual.interpolation === "bicubic" ? 3 : 2);
  const interpolation = interpolations[resample.integer(0)];
  if (interpolation === undefined) throw resample.error("2 (bilinear) or 3 (bicubic)");
  const statistics = Object.fromEntries(
    (["mean", "std"] as const)
      .map((name) => [name, json.at(`image_${name}`)] as const)
      .filter(([, value]) => !value.isMissing)
      .map(([name, value]) => [name, value.items().map((item) => item.number())]),
  );
  const mode = readResizeMode(json.at("size"), usual.resize_mode, imageSize);
  if (mode === "shortest") {
    json.neutral({ do_center_crop: [true] });
    const crop = json.at("crop_size");
    const edges =
      crop.isMissing || typeof crop.value === "number" ? [crop] : [crop.at("height"), crop.at("width")];
    for (const edge of edges) if (!edge.isMissing) assertSize(edge, imageSize);
  }
  return { interpolation, resize_mode: mode, ...statistics };
}

/** The first files have one number, which each project resizes to in its own way. */
function readResizeMode(
  size: JsonValue,
  usual: Preprocess["resize_mode"],
  imageSize: number,
): Preprocess["resize_mode"] {
  if (size.isMissing) return usual;
  if (typeof size.value === "number") {
    assertSize(size, imageSize);
    return usual;
  }
  if (!size.at("shortest_edge").isMissing) {
    assertSize(size.at("shortest_edge"), imageSize);
    return "shortest";
  }
  assertSize(size.at("height"), imageSize);
  assertSize(size.at("width"), imageSize);
  return "squash";
}

function assertSize(edge: JsonValue, imageSize: number): void {
  if (edge.integer(1) !== imageSize) throw edge.error(`the image size of config.json, ${imageSize}`);
}
