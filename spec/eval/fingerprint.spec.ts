import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import type { Dataset } from "../../lib/eval/dataset.ts";
import { evaluationFingerprint } from "../../lib/eval/fingerprint.ts";
import { readClassNameFile, readTemplateFile } from "../../lib/eval/prompts/prompt-files.ts";
import { readDataset } from "../../lib/node/eval/evaluate.ts";
import { evaluationHost } from "../../lib/node/eval/host.ts";
import { fixture } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";

describe("evaluationFingerprint", () => {
  const folder = temporaryFolder();
  const model = ["image tower", "text tower"];
  type Options = Parameters<typeof evaluationFingerprint>[3];

  function fingerprint(dataset: Dataset, options: Options = {}, towers = model): Promise<string> {
    return evaluationFingerprint(evaluationHost, towers, dataset, options);
  }

  async function read(name: string): Promise<Dataset> {
    cpSync(fixture(`eval/webdatasets/${name}`), folder.file(name), { recursive: true });
    return readDataset(folder.file(name));
  }

  it("changes with all that changes a figure", async () => {
    const colours = await read("colours");
    assert.ok(colours.kind === "classification");
    const classNames = readClassNameFile('{ "colours": ["1", "2", "3", "4", "5", "6"] }', "x");
    const templates = readTemplateFile('{ "colours": ["{c}!"] }', "x");
    const captions = await read("captions");
    assert.ok(captions.kind === "retrieval");
    const classifier = { values: Float32Array.of(1, 2), rows: 2, width: 1 };
    const all = [
      await fingerprint(colours),
      await fingerprint(colours, { limit: 3 }),
      await fingerprint(colours, { prompts: { classNames } }),
      await fingerprint(colours, { prompts: { templates } }),
      await fingerprint(colours, { linearProbe: {} }),
      await fingerprint(colours, { linearProbe: { seed: 1 } }),
      await fingerprint(colours, { classifier }),
      await fingerprint(colours, { classifier: { ...classifier, values: Float32Array.of(1, 3) } }),
      await fingerprint(colours, {}, ["image tower", "another"]),
      await fingerprint(colours, {}, ["another", "text tower"]),
      await fingerprint({ ...colours, labels: colours.labels.toReversed() }),
      await fingerprint({ ...colours, images: colours.images.toReversed() }),
      await fingerprint({ ...colours, convertToRgbFirst: false }),
      await fingerprint(captions),
      await fingerprint(captions, { recallK: [1] }),
      await fingerprint({ ...captions, captions: captions.captions.map(() => ["x"]) }),
    ];
    assert.equal(new Set(all).size, all.length);
    const shard = folder.file("colours/test/0.tar");
    writeFileSync(shard, Buffer.concat([readFileSync(shard), Buffer.alloc(512)]));
    assert.notEqual(await fingerprint(await readDataset(folder.file("colours"))), all[0]);
  });

  it("does not change with names, languages and how it is computed", async () => {
    const colours = await read("colours");
    const first = await fingerprint(colours);
    const copy = { ...colours, name: "wds/other", sources: [] };
    assert.equal(
      await fingerprint(copy, { language: "it", batchSize: 3, recallK: [1], features: "x" }),
      first,
    );
    const captions = await read("captions");
    assert.equal(await fingerprint(captions, { recallK: [5] }), await fingerprint(captions));
  });
});
