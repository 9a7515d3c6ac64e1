import assert from "node:assert/strict";
import { flickrCaptions } from "../../../lib/eval/datasets/flickr-captions.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("flickrCaptions", () => {
  const folder = datasetFolder(flickrCaptions, "flickr30k");

  beforeEach(() => {
    folder.write(["1.jpg", "2.jpg", "10.jpg"]);
  });

  it("keeps the order of first appearance, commas, and repeated captions", async () => {
    const lines = [
      "image,caption",
      "2.jpg,a cat, and a dog ",
      "10.jpg, a bird",
      "",
      "2.jpg,a cat, and a dog",
    ];
    folder.write({ "flickr30k_test_karpathy.txt": lines.join("\r\n") });
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "retrieval");
    assert.deepEqual(folder.images(dataset), ["2.jpg", "10.jpg"]);
    // The line is stripped, not the caption.
    assert.deepEqual(dataset.captions, [["a cat, and a dog", "a cat, and a dog"], [" a bird"]]);
  });

  it("skips the first line, whatever it holds", async () => {
    folder.write({ "flickr30k_test_karpathy.txt": "1.jpg,lost\n2.jpg,kept" });
    assert.deepEqual(folder.images(await folder.read()), ["2.jpg"]);
  });

  it("reads Chinese captions and other splits, and lists the languages", async () => {
    folder.write({ "flickr8k_test_zh.txt": "\n1.jpg,一只猫", "flickr8k_val_karpathy.txt": "\n1.jpg,a cat" });
    const chinese = await folder.read({ language: "zh" });
    assert.ok(chinese.kind === "retrieval");
    assert.deepEqual([chinese.captions, chinese.language], [[["一只猫"]], "zh"]);
    assert.equal((await folder.read({ split: "val" })).images.length, 1);
    await assert.rejects(folder.read(), inputError(/flickr30k_test_karpathy\.txt: not found; download/));
    await assert.rejects(folder.read({ language: "de" }), (error: Error & { details: string[] }) => {
      assert.match(error.message, /no captions in the language "de"/);
      assert.deepEqual(error.details, ["en zh"]);
      return true;
    });
  });

  it("refuses lines that would be split wrongly, and missing images", async () => {
    const name = "flickr30k_test_karpathy.txt";
    folder.write({ [name]: "image,caption\n1.jpg,see 2.jpg,too" });
    await assert.rejects(folder.read(), inputError(/line 2: expected "NAME\.jpg,CAPTION" with one/));
    folder.write({ [name]: "image,caption\n1.png,a cat" });
    await assert.rejects(folder.read(), inputError(/line 2: expected "NAME\.jpg,CAPTION"/));
    folder.write({ [name]: "image,caption\n3.jpg,a cat" });
    await assert.rejects(folder.read(), inputError(/expected 1 images .* 1 missing \(3\.jpg\)/));
    folder.write({ [name]: "image,caption\n" });
    await assert.rejects(folder.read(), inputError(/expected captions after the first line, found none/));
  });
});
