/** Keys, order and names of files are those of CLIP_benchmark's files in fixtures/eval. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Evaluation } from "../../lib/eval/evaluation.ts";
import { resultFileName, resultRecord, type ResultRecord } from "../../lib/eval/record.ts";
import { fixture } from "../support/paths.ts";

const golden = fixture("eval/clip-benchmark");
const files = readdirSync(golden).filter((name) => name.endsWith(".json"));

describe("results", () => {
  it("have the file names of CLIP_benchmark's default template", () => {
    for (const file of files) {
      const json = readFileSync(join(golden, file), "utf8").replace(/\bNaN\b/g, "null");
      assert.equal(resultFileName(JSON.parse(json) as ResultRecord), file);
    }
  });

  it("have no folders in their names, where CLIP_benchmark would need some", () => {
    const identity = { language: "en", task: "zeroshot_classification" } as const;
    const name = (dataset: string, pretrained: string): string =>
      resultFileName({ dataset, pretrained, model: "m/n", ...identity });
    assert.equal(name("wds/vtab/cifar10", "a\\b"), "vtab_cifar10_a_b_m_n_en_zeroshot_classification.json");
    assert.equal(name("wds/wds/x", "../.."), "wds_x_.._.._m_n_en_zeroshot_classification.json");
  });

  it("have its keys in its order; the optional ones only where there is something to say", () => {
    const model = { pretrained: "tag", model: "arch" };
    const evaluation = (isPartial: boolean): Evaluation => ({
      ...{ dataset: "x", layout: "flickr", split: null, language: "en" },
      ...{ task: "zeroshot_retrieval", metrics: { "image_retrieval_recall@5": 0.5 }, standardErrors: {} },
      ...{ ties: 0, prompts: null, texts: { texts: 1, embedded: 1 }, images: 1, datasetImages: 1, asked: 1 },
      ...{ failed: [], isPartial, imagesSha256: "", featuresFile: null, decoded: 1, sources: [] },
      details: { kind: "selection", instances: 1, wrong: [] },
    });
    const keys = ["dataset", "model", "pretrained", "task", "metrics", "language"];
    const whole = resultRecord(evaluation(false), model);
    assert.deepEqual(Object.keys(whole), keys);
    const dumped = resultRecord(evaluation(true), model, { templates: ["{c}"], classnames: ["a"] });
    assert.deepEqual(Object.keys(dumped), [...keys, "classnames", "templates", "partial"]);
    assert.equal(dumped.partial, true);
  });
});
