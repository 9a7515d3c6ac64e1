/** `--aug-cfg KEY=VALUE`, with open_clip's keys. */
import { InputError } from "../../lib/errors/input-error.ts";
import { openClipAugmentation, type Augmentation } from "../../lib/image/augmentation.ts";

/** Keys that open_clip passes on to timm, or ignores with a warning. */
const ofTimm = ["ratio", "re_prob", "re_count", "use_timm"];

const keys = ["scale", "color_jitter", "color_jitter_prob", "gray_scale_prob"];

/**
 * @param entries such as "scale=(0.4, 1.0)" and "gray_scale_prob=0.2"
 * @throws InputError for unknown keys and values out of range
 */
export function parseAugmentation(entries: readonly string[]): Augmentation {
  const given = new Map(entries.map(parseEntry));
  const probability = (key: string): number => number(key, given.get(key) ?? [0], 1);
  const jitterProbability = probability("color_jitter_prob");
  const jitter = given.get("color_jitter");
  if ((jitter !== undefined) !== jitterProbability > 0) {
    throw new InputError(
      "--aug-cfg: expected color_jitter and color_jitter_prob together, found one of them",
    );
  }
  return {
    scale: parseScale(given.get("scale")),
    colourJitter: jitter === undefined ? null : { ...parseJitter(jitter), probability: jitterProbability },
    greyProbability: probability("gray_scale_prob"),
  };
}

function parseEntry(entry: string): [key: string, values: number[]] {
  const [, key = "", value = ""] = /^(\w+)=\s*[([]?([^()[\]]*)[)\]]?\s*$/.exec(entry) ?? [];
  if (ofTimm.includes(key)) {
    throw new InputError(
      `--aug-cfg ${entry}: open_clip uses ${key} with timm alone, which is not supported; leave it out`,
    );
  }
  if (!keys.includes(key)) {
    throw new InputError(`--aug-cfg ${entry}: expected KEY=VALUE with one of ${keys.join(", ")}`);
  }
  const values = value.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (!values.every(Number.isFinite)) {
    throw new InputError(
      `--aug-cfg ${entry}: expected numbers, such as scale=(0.4,1) or gray_scale_prob=0.2`,
    );
  }
  return [key, values];
}

function number(key: string, values: readonly number[], most: number): number {
  const [value = NaN] = values;
  if (values.length === 1 && value >= 0 && value <= most) return value;
  throw new InputError(`--aug-cfg ${key}=${values.join(",")}: expected a number from 0 to ${most}`);
}

function parseScale(values: readonly number[] | undefined): Augmentation["scale"] {
  if (values === undefined) return openClipAugmentation.scale;
  const [least = NaN, most = NaN] = values;
  if (values.length === 2 && least > 0 && least <= most && most <= 1) return [least, most];
  throw new InputError(
    `--aug-cfg scale=${values.join(",")}: expected the smallest and the largest share of the area, such as (0.4,1)`,
  );
}

function parseJitter(
  values: readonly number[],
): Omit<NonNullable<Augmentation["colourJitter"]>, "probability"> {
  const [brightness = NaN, contrast = NaN, saturation = NaN, hue = NaN] = values;
  if (values.length === 4 && Math.min(...values) >= 0 && hue <= 0.5)
    return { brightness, contrast, saturation, hue };
  throw new InputError(
    `--aug-cfg color_jitter=${values.join(",")}: expected four numbers for brightness, contrast, saturation and hue, none negative, hue at most 0.5`,
  );
}
