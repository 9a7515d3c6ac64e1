import assert from "node:assert/strict";
import { xtd } from "../../../lib/eval/datasets/xtd.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("xtd", () => {
  const folder = datasetFolder(xtd, "xtd10");
  const languages = async (error: Promise<unknown>): Promise<string[]> => {
    let details: string[] = [];
    await assert.rejects(error, (thrown: Error & { details: string[] }) => {
      ({ details } = thrown);
      return /no captions in the language/.test(thrown.message);
    });
    return details;
  };

  it("reads the published lists, lines as for Python", async () => {
    folder.write(["xtd10/images/b.jpg", "xtd10/images/a.jpg"]);
    folder.write({
      "xtd10/test_image_names.txt": "b.jpg\na.jpg\n",
      "xtd10/test_1kcaptions_en.txt": "a bird\r\n two cats ",
      "xtd10/test_1kcaptions_jp.txt": "鳥\u2028猫",
    });
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "retrieval");
    assert.deepEqual(folder.images(dataset), ["xtd10/images/b.jpg", "xtd10/images/a.jpg"]);
    assert.deepEqual(dataset.captions, [["a bird"], [" two cats "]]);
    assert.deepEqual(((await folder.read({ language: "jp" })) as typeof dataset).captions, [["鳥"], ["猫"]]);
    assert.deepEqual(await languages(folder.read({ language: "ja" })), ["en jp"]);
  });

  it("refuses lists of different lengths, which CLIP_benchmark cuts to the shorter one", async () => {
    folder.write(["images/b.jpg"]);
    folder.write({ "test_image_names.txt": "b.jpg\n", "test_1kcaptions_en.txt": "a bird\ntwo cats\n" });
    await assert.rejects(folder.read(), inputError(/found 2 captions for 1 images/));
  });

  it("reads CLIP_benchmark's JSON first, with paths of another folder", async () => {
    folder.write(["xtd10/images/b.jpg", "xtd10/images/a.jpg"]);
    const image_paths = ["root/xtd10/images/b.jpg", "root/xtd10/images/a.jpg"];
    folder.write({
      "xtd10-en.json": { image_paths, annotations: ["x", "y"], indices: [0, 1] },
      "xtd10-zh.json": { image_paths, annotations: ["x"], indices: [0] },
      "xtd10-de.json": { image_paths: ["/data/images/c.jpg"], annotations: ["x"], indices: [0] },
      "xtd10/test_image_names.txt": "b.jpg\na.jpg\n",
      "xtd10/test_1kcaptions_it.txt": "1\n2\n",
    });
    const dataset = await folder.read();
    assert.ok(dataset.kind === "retrieval");
    assert.deepEqual(folder.images(dataset), ["xtd10/images/b.jpg", "xtd10/images/a.jpg"]);
    assert.deepEqual(dataset.captions, [["x"], ["y"]]);
    assert.deepEqual(((await folder.read({ language: "it" })) as typeof dataset).captions, [["1"], ["2"]]);
    await assert.rejects(folder.read({ language: "zh" }), inputError(/zh\.json: .* 1 captions for 2 images/));
    await assert.rejects(folder.read({ language: "de" }), inputError(/1 missing \(c\.jpg\)/));
    assert.deepEqual(await languages(folder.read({ language: "ru" })), ["de en zh it"]);
    const annotations = `${folder.path}/xtd10-en.json`;
    assert.equal((await folder.read({ annotations, language: "ru" })).images.length, 2);
  });
});
