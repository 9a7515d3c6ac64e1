import assert from "node:assert/strict";
import { winoground } from "../../../lib/eval/datasets/winoground.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("winoground", () => {
  const folder = datasetFolder(winoground, "winoground");
  const example = { image_0: "ex_0_img_0", image_1: "ex_0_img_1", caption_0: "a b", caption_1: "b a", id: 0 };

  it("pairs the first caption with the first image", async () => {
    folder.write(["data/images/ex_0_img_0.png", "data/images/ex_0_img_1.png"]);
    folder.write({ "data/examples.jsonl": example });
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "selection");
    assert.deepEqual(folder.images(dataset), ["data/images/ex_0_img_0.png", "data/images/ex_0_img_1.png"]);
    assert.deepEqual(dataset.instances, [{ images: [0, 1], captions: ["a b", "b a"] }]);
    assert.equal(dataset.convertToRgbFirst, false);
  });

  it("names what is missing", async () => {
    assert.equal(await folder.recognizes(), false);
    await assert.rejects(folder.read(), inputError(/examples\.jsonl: not found/));
    folder.write({ "examples.jsonl": example });
    await assert.rejects(folder.read(), inputError(/2 missing \(ex_0_img_0\.png, ex_0_img_1\.png\)/));
    folder.write({ "examples.jsonl": { ...example, caption_1: undefined } });
    await assert.rejects(folder.read(), inputError(/line 1.*caption_1/));
  });
});
