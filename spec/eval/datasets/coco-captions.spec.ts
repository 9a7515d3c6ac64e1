import assert from "node:assert/strict";
import { cocoCaptions } from "../../../lib/eval/datasets/coco-captions.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("cocoCaptions", () => {
  const folder = datasetFolder(cocoCaptions, "mscoco_captions");
  const content = {
    images: [
      { id: 30, file_name: "c.jpg" },
      { id: 4, file_name: "a.jpg" },
      { id: 100, file_name: "b.jpg" },
    ],
    annotations: [
      { id: 9, image_id: 30, caption: "c1 " },
      { id: 2, image_id: 4, caption: "a1" },
      { id: 1, image_id: 30, caption: "c2" },
      { id: 5, image_id: 4, caption: "a1" },
    ],
  };

  beforeEach(() => {
    folder.write({ "coco_test_karpathy.json": content });
    folder.write(["val2014/a.jpg", "val2014/b.jpg", "val2014/c.jpg", "train2014/a.jpg"]);
  });

  it("sorts images by id; captions have the order of the file, repeated and unstripped", async () => {
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "retrieval");
    assert.deepEqual(folder.images(dataset), ["val2014/a.jpg", "val2014/c.jpg", "val2014/b.jpg"]);
    assert.deepEqual(dataset.captions, [["a1", "a1"], ["c1 ", "c2"], []]);
    assert.deepEqual([dataset.split, dataset.convertToRgbFirst], ["test", true]);
  });

  it("takes train2014 for the split train, and annotations of another name", async () => {
    const one = { images: [content.images[1]], annotations: [] };
    folder.write({ "coco_train_karpathy.json": one, "mine.json": one });
    assert.deepEqual(folder.images(await folder.read({ split: "train" })), ["train2014/a.jpg"]);
    const annotations = `${folder.path}/mine.json`;
    assert.deepEqual(folder.images(await folder.read({ annotations })), ["val2014/a.jpg"]);
    await assert.rejects(folder.read({ split: "val" }), inputError(/coco_val_karpathy\.json: not found/));
    await assert.rejects(folder.read({ split: "dev" }), inputError(/expected --split train, val, test/));
  });

  it("refuses images outside the folder", async () => {
    for (const name of ["../secret.jpg", "a/../../secret.jpg", "..\\secret.jpg"]) {
      const images = [{ id: 1, file_name: name }];
      folder.write({ "coco_test_karpathy.json": { images, annotations: [] }, "secret.jpg": "" });
      await assert.rejects(
        folder.read(),
        inputError(/val2014: .* name the image ".*secret\.jpg", which is out/),
      );
    }
  });

  it("refuses missing images, captions of unknown images, and repeated ids", async () => {
    folder.remove("val2014/b.jpg");
    await assert.rejects(folder.read(), inputError(/val2014: expected 3 images .* 1 missing \(b\.jpg\)/));
    const other = { image_id: 7, caption: "?" };
    folder.write({ "coco_test_karpathy.json": { ...content, annotations: [other] } });
    await assert.rejects(folder.read(), inputError(/annotations.*image_id.*the id of one of the "images"/));
    folder.write({
      "coco_test_karpathy.json": { ...content, images: [...content.images, content.images[0]] },
    });
    await assert.rejects(folder.read(), inputError(/an id that no other image has, found 30/));
  });
});
