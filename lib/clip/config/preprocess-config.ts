import { InputError } from "../../errors/input-error.ts";
import type { PreprocessConfig } from "../../image/transform.ts";

/** OpenAI CLIP's statistics, which LAION's models keep. */
const OPENAI_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
const OPENAI_STD = [0.26862954, 0.26130258, 0.27577711] as const;

const KNOWN_KEYS = ["size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color"];

/**
 * Reads the `preprocess_cfg` object of an `open_clip_config.json`; what it leaves out, or sets to null, is CLIP's.
 *
 * Its `size` is checked and then ignored, as in open_clip: the image tower's own size decides. Interpolation "random"
 * is bicubic outside training.
 *
 * @param cfg the parsed JSON value; undefined and null mean "all defaults"
 * @param imageSize the image tower's input, one edge or [height, width], in pixels
 * @param where the file's name, for messages
 * @throws InputError naming the key that is unknown or has a value that is not implemented
 * @source open_clip, src/open_clip/transform.py, PreprocessCfg and image_transform
 */
export function parsePreprocessConfig(
  cfg: unknown,
  imageSize: number | readonly [height: number, width: number],
  where: string,
): PreprocessConfig {
  const given = cfg ?? {};
  const refuse = (key: string, expected: string, found: unknown, fix: string): never => {
    const path = key === "" ? "preprocess_cfg" : `preprocess_cfg.${key}`;
    throw new InputError(`${where}: ${path}: expected ${expected}, found ${JSON.stringify(found)}; ${fix}`);
  };
  if (typeof given !== "object" || Array.isArray(given)) {
    return refuse("", "an object", given, "copy it from the model's open_clip_config.json");
  }
  const values = given as Record<string, unknown>;
  const unknown = Object.keys(values).find((key) => !KNOWN_KEYS.includes(key));
  if (unknown !== undefined) {
    refuse("", `only ${KNOWN_KEYS.join(", ")}`, unknown, "remove the key if the model does not depend on it");
  }

  const oneOf = <T extends string>(key: string, allowed: readonly T[], fallback: T): T => {
    const value = values[key] ?? fallback;
    const match = allowed.find((choice) => choice === value);
    return match ?? refuse(key, `one of ${allowed.join(", ")}`, value, "no other is implemented");
  };
  const statistics = (key: string, fallback: readonly [number, number, number], positive: boolean) => {
    const value = values[key] ?? fallback;
    const list: unknown[] = Array.isArray(value) ? value : [value, value, value];
    const [red, green, blue] = list;
    const fits = (item: unknown): item is number =>
      typeof item === "number" && Number.isFinite(item) && (!positive || item > 0);
    if (list.length === 3 && fits(red) && fits(green) && fits(blue)) return [red, green, blue] as const;
    return refuse(
      key,
      `three ${positive ? "positive " : ""}numbers`,
      value,
      "give one for each of R, G and B",
    );
  };
  const isEdge = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;

  const size = values["size"] ?? imageSize;
  if (!(Array.isArray(size) ? size.length <= 2 && size.every(isEdge) : isEdge(size))) {
    refuse("size", "a number of pixels or [height, width]", size, "leave it out to use the image tower's");
  }
  oneOf("mode", ["RGB"], "RGB");
  const interpolation = oneOf("interpolation", ["bicubic", "bilinear", "random"], "bicubic");
  const fillColor = values["fill_color"] ?? 0;
  if (typeof fillColor !== "number" || !Number.isInteger(fillColor) || fillColor < 0 || fillColor > 255) {
    return refuse("fill_color", "a whole number from 0 to 255", fillColor, "use 0 for black");
  }
  return {
    size: typeof imageSize === "number" ? [imageSize, imageSize] : imageSize,
    mean: statistics("mean", OPENAI_MEAN, false),
    std: statistics("std", OPENAI_STD, true),
    interpolation: interpolation === "random" ? "bicubic" : interpolation,
    resizeMode: oneOf("resize_mode", ["shortest", "longest", "squash"], "shortest"),
    fillColor,
  };
}
