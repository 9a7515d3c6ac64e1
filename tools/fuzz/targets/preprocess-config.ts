/** `preprocess_cfg` of open_clip_config.json. */
import { parsePreprocessConfig } from "../../../lib/clip/config/preprocess-config.ts";
import { transform } from "../../../lib/image/transform.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { json } from "../fixtures.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import type { CreateTarget } from "../target.ts";

const image = { width: 5, height: 3, mode: "RGB", data: new Uint8Array(45).fill(9), stride: 3 } as const;

export const create: CreateTarget = () => ({
  seeds: [
    json({ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], interpolation: "bilinear", resize_mode: "squash" }),
    json({ size: [8, 8], mode: "RGB", mean: 0.5, std: 0.2, resize_mode: "longest", fill_color: 128 }),
    json({ size: 8, interpolation: "random", resize_mode: "shortest" }),
  ],
  mutations: [mutateJson, mutateJson, mutateJson, duplicateKey],
  run(input) {
    const { value } = JsonValue.parse(input, "open_clip_config.json");
    const config = parsePreprocessConfig(value, [8, 8], "open_clip_config.json");
    if (transform(image, config).length !== 3 * 64) throw new Error("an input of another size");
    return Promise.resolve(`${config.interpolation}, ${config.resizeMode}`);
  },
  maxSize: 4096,
});
