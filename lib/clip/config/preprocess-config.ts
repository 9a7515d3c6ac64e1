import type { PreprocessConfig } from "../../image/transform.ts";
import { JsonValue } from "../../json/json-value.ts";

/** OpenAI CLIP's statistics, which LAION's models share. */
const openaiMean = [0.48145466, 0.4578275, 0.40821073] as const;
const openaiStd = [0.26862954, 0.26130258, 0.27577711] as const;

/**
 * Reads the `preprocess_cfg` object of an `open_clip_config.json`. Options that are absent or null have CLIP's values.
 *
 * Its `size` is validated and then ignored, as in open_clip: the image tower's own size decides. Interpolation "random"
 * is bicubic outside training.
 *
 * @param cfg the parsed JSON; undefined and null mean all defaults
 * @param imageSize the image tower's input, one edge or [height, width], in pixels
 * @param where the file's name, for errors
 * @throws InputError if an option is unknown, or has a value that is not implemented
 *
 * Source: open_clip/transform.py, PreprocessCfg and image_transform.
 */
export function parsePreprocessConfig(
  cfg: unknown,
  imageSize: number | readonly [height: number, width: number],
  where: string,
): PreprocessConfig {
  const config = JsonValue.of(cfg ?? {}, `${where}: preprocess_cfg`);
  const size = config.at("size").or(imageSize);
  const edges = Array.isArray(size.value) ? size.items() : [size];
  if (edges.length > 2) throw size.error("a number of pixels or [height, width]");
  for (const edge of edges) edge.integer(1);
  config.at("mode").or("RGB").oneOf("RGB");
  const interpolation = config.at("interpolation").or("bicubic").oneOf("bicubic", "bilinear", "random");
  const parsed: PreprocessConfig = {
    size: typeof imageSize === "number" ? [imageSize, imageSize] : imageSize,
    mean: perChannel(config.at("mean").or(openaiMean)),
    std: perChannel(config.at("std").or(openaiStd), true),
    interpolation: interpolation === "random" ? "bicubic" : interpolation,
    resizeMode: config.at("resize_mode").or("shortest").oneOf("shortest", "longest", "squash"),
    fillColor: config.at("fill_color").or(0).integer(0, 255),
  };
  config.expectAllRead();
  return parsed;
}

/** One number for each of R, G and B; a single number serves for all three. */
function perChannel(statistic: JsonValue, isPositive = false): PreprocessConfig["mean"] {
  const items = Array.isArray(statistic.value) ? statistic.items() : [statistic, statistic, statistic];
  const [red, green, blue, ...rest] = items.map((item) => item.number());
  if (red === undefined || green === undefined || blue === undefined || rest.length > 0) {
    throw statistic.error("three numbers, for R, G and B");
  }
  if (isPositive && Math.min(red, green, blue) <= 0) throw statistic.error("positive numbers");
  return [red, green, blue];
}
