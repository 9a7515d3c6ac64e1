import assert from "node:assert/strict";
import { imageNetV2 } from "../../../lib/eval/datasets/imagenet-v2.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("imageNetV2", () => {
  const folder = datasetFolder(imageNetV2, "imagenetv2");
  const images = ["10/a.jpeg", "2/c.jpeg", "2/b.jpeg", "0/x.jpg", "x/y.jpeg"];

  it("takes the number of a folder for the label, and images named *.jpeg", async () => {
    folder.write(images.map((path) => `ImageNetV2-matched-frequency/${path}`));
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "classification");
    assert.deepEqual(
      folder.images(dataset).map((path) => path.replace(/^.*?\//, "")),
      ["2/b.jpeg", "2/c.jpeg", "10/a.jpeg"],
    );
    assert.deepEqual(dataset.labels, [2, 2, 10]);
    // open_clip's transform alone: it resizes in the file's mode.
    assert.equal(dataset.convertToRgbFirst, false);
    assert.equal(dataset.classNames, null);
  });

  it("finds the folders under the archive's name, and in a folder with the dataset's name", async () => {
    folder.write(images.map((path) => `imagenetv2-matched-frequency-format-val/${path}`));
    assert.equal((await folder.read()).images.length, 3);
    assert.equal(await folder.recognizes("imagenetv2-matched-frequency-format-val"), true);
    assert.equal(await folder.recognizes("imagenetv2-matched-frequency-format-val/2"), false);
  });

  it("has one split", async () => {
    folder.write(["ImageNetV2-top-images/0/a.jpeg"]);
    await assert.rejects(folder.read({ split: "train" }), inputError(/expected --split test.*"train"/));
  });
});
