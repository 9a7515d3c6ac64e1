import assert from "node:assert/strict";
import { datasetUrl, parseDatasetUrl } from "../../../lib/node/hub/dataset-url.ts";

describe("parseDatasetUrl", () => {
  const address = "https://huggingface.co/datasets/clip-benchmark/wds_imagenet1k";
  const name = { repository: "clip-benchmark/wds_imagenet1k", revision: "main" };

  it("reads a repository, and the branch if there is one", () => {
    for (const text of [address, `${address}/`, `${address}/tree/main`, `${address}/tree/main/`]) {
      assert.deepEqual(parseDatasetUrl(text), name, text);
    }
    assert.deepEqual(parseDatasetUrl(`${address}/tree/refs/pr/1`), { ...name, revision: "refs/pr/1" });
    assert.deepEqual(parseDatasetUrl(datasetUrl(name)), name);
  });

  it("refuses other addresses", () => {
    const models = "https://huggingface.co/laion/CLIP";
    for (const text of [
      models,
      "https://huggingface.co/datasets/x",
      `${address}/blob/main/a.tar`,
      `${address}/tree/..`,
    ]) {
      assert.throws(() => parseDatasetUrl(text), { name: "InputError" }, text);
    }
  });
});
