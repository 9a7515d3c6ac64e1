import assert from "node:assert/strict";
import { babelImageNet } from "../../../lib/eval/datasets/babel-imagenet.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("babelImageNet", () => {
  const folder = datasetFolder(babelImageNet, "babel_imagenet");

  beforeEach(() => {
    folder.write(["val/n1/1.JPEG", "val/n2/1.JPEG", "val/n3/1.JPEG", "val/n3/2.JPEG"]);
    folder.write({
      "babel_imagenet.json": {
        DE: [
          [2, 0],
          ["Hai", "Schleie"],
        ],
        BR: [[1], ["x"]],
        LA: [[3], ["y"]],
      },
      "nllb_dist13b_prompts.json": { DE: ["ein Foto von {}", "{}"], LA: ["{}"] },
    });
  });

  it("numbers a language's classes in its own order; other images have no label", async () => {
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read({ language: "de" });
    assert.ok(dataset.kind === "classification");
    assert.deepEqual(dataset.labels, [1, null, 0, 0]);
    assert.deepEqual(dataset.classNames?.texts, ["Hai", "Schleie"]);
    assert.deepEqual(dataset.templates?.texts, ["ein Foto von {}", "{}"]);
    assert.deepEqual([dataset.split, dataset.language], ["val", "de"]);
    assert.equal(dataset.convertToRgbFirst, true);
  });

  it("lists the known languages; some have names but no templates", async () => {
    await assert.rejects(folder.read({ language: "zz" }), (error: Error & { details: string[] }) => {
      assert.match(error.message, /babel_imagenet\.json: no entry for the language "zz"; it has 3 languages/);
      assert.deepEqual(error.details, ["de br la"]);
      return true;
    });
    await assert.rejects(folder.read({ language: "br" }), inputError(/nllb_dist13b_prompts\.json: no entry/));
  });

  it("refuses a part of ImageNet's classes, and missing lists", async () => {
    await assert.rejects(
      folder.read({ language: "la" }),
      inputError(/1,000 classes, found 3 folders.* class 3/),
    );
    folder.remove("nllb_dist13b_prompts.json");
    await assert.rejects(folder.read({ language: "de" }), inputError(/nllb_.*: not found; copy it/));
  });
});
