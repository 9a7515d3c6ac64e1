/** `model_cfg` of open_clip_config.json. */
import { countFlops } from "../../../lib/clip/flops.ts";
import { architectures } from "../../../lib/clip/config/architectures/index.ts";
import { parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { declaredTensors } from "../../../lib/clip/network.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { json, readFixture } from "../fixtures.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import type { CreateTarget } from "../target.ts";

const where = "open_clip_config.json";
const textNetwork = JSON.parse(
  new TextDecoder().decode(readFixture("tiny/gelu-mlp/text/config.json")),
) as unknown;

export const create: CreateTarget = () => ({
  seeds: [
    ...["gelu-mlp", "no-projection", "plain", "plain-quickgelu", "quickgelu-linear"].map((name) =>
      readFixture(`tiny/${name}/open_clip_config.json`),
    ),
    readFixture("demo-model/open_clip_config.json"),
    ...Object.values(architectures)
      .slice(0, 10)
      .map((architecture) => json({ model_cfg: architecture })),
  ],
  mutations: [mutateJson, mutateJson, mutateJson, duplicateKey],
  async run(input) {
    const document = JsonValue.parse(input, where);
    const config = await parseClipConfig(document.at("model_cfg").value, `${where}: model_cfg`, (name) =>
      Promise.resolve(name === "text" ? { json: textNetwork, path: "text/config.json" } : null),
    );
    countFlops(config);
    declaredTensors(config);
    return config.text.kind;
  },
  maxSize: 8192,
});
