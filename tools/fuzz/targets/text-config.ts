/** The text network's config.json, which open_clip_config.json names. */
import { parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { declaredTensors } from "../../../lib/clip/network.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { readFixture } from "../fixtures.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import type { CreateTarget } from "../target.ts";

const modelConfig = (
  JSON.parse(new TextDecoder().decode(readFixture("tiny/gelu-mlp/open_clip_config.json"))) as {
    model_cfg: unknown;
  }
).model_cfg;

export const create: CreateTarget = () => ({
  seeds: ["tiny/gelu-mlp", "tiny/bert-vit", "demo-model"].map((model) =>
    readFixture(`${model}/text/config.json`),
  ),
  mutations: [mutateJson, mutateJson, mutateJson, duplicateKey],
  async run(input) {
    const path = "text/config.json";
    const network = JsonValue.parse(input, path);
    const config = await parseClipConfig(modelConfig, "model_cfg", () =>
      Promise.resolve({ json: network.value, path }),
    );
    declaredTensors(config);
    return "a config";
  },
  maxSize: 8192,
});
