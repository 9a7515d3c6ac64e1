import assert from "node:assert/strict";
import { karpathy } from "../../../lib/eval/datasets/karpathy.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("karpathy", () => {
  const folder = datasetFolder(karpathy, "coco");
  const image = (filename: string, split: string, ...captions: string[]): object => ({
    filepath: "val2014",
    filename,
    split,
    sentences: captions.map((raw) => ({ raw, tokens: raw.split(" ") })),
  });
  const images = [
    image("b.jpg", "test", "b two ", "b one"),
    image("d.jpg", "restval", "d"),
    image("a.jpg", "test"),
    image("c.jpg", "train", "c"),
  ];

  it("takes the images of a split, with their raw sentences, in the order of the file", async () => {
    folder.write({ "dataset_coco.json": { dataset: "coco", images } });
    folder.write(["a", "b", "c", "d"].map((name) => `val2014/${name}.jpg`));
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "retrieval");
    assert.deepEqual(folder.images(dataset), ["val2014/b.jpg", "val2014/a.jpg"]);
    assert.deepEqual(dataset.captions, [["b two ", "b one"], []]);
    assert.deepEqual([dataset.split, dataset.convertToRgbFirst], ["test", true]);
    assert.deepEqual(folder.images(await folder.read({ split: "train" })), [
      "val2014/d.jpg",
      "val2014/c.jpg",
    ]);
  });

  it("finds Flickr's images next to the file, or in the folder images", async () => {
    const flickr = [{ filename: "1.jpg", split: "test", sentences: [{ raw: "one" }] }];
    folder.write({ "dataset_flickr30k.json": { images: flickr } });
    folder.write(["images/1.jpg"]);
    assert.deepEqual(folder.images(await folder.read()), ["images/1.jpg"]);
    folder.remove("images/1.jpg");
    folder.write(["1.jpg"]);
    assert.deepEqual(folder.images(await folder.read()), ["1.jpg"]);
  });

  it("refuses missing images, unknown splits, other files, and folders without one", async () => {
    folder.write({ "notes/readme.txt": "" });
    assert.equal(await folder.recognizes(), false);
    await assert.rejects(folder.read(), inputError(/expected dataset_coco\.json, .* found none/));
    folder.write({ "dataset_coco.json": { images } });
    await assert.rejects(folder.read(), inputError(/expected 2 images .* 2 missing \(val2014\/b\.jpg/));
    await assert.rejects(
      folder.read({ split: "dev" }),
      inputError(/dataset_coco\.json: expected --split test, train, found "dev"/),
    );
    folder.write({ "dataset_coco.json": { images: [{ split: "test", filename: "a.jpg" }] } });
    await assert.rejects(folder.read(), inputError(/dataset_coco\.json.*sentences/));
  });
});
