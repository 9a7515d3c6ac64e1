import assert from "node:assert/strict";
import { sugarCrepe } from "../../../lib/eval/datasets/sugar-crepe.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("sugarCrepe", () => {
  const folder = datasetFolder(sugarCrepe, "sugar_crepe/swap_obj");

  beforeEach(() => {
    folder.write(["val2017/1.jpg", "val2017/2.jpg"]);
    folder.write({
      "swap_obj.json": {
        7: { filename: "2.jpg", caption: "a on b", negative_caption: "b on a" },
        12: { filename: "1.jpg", caption: "c on d", negative_caption: "d on c" },
        13: { filename: "2.jpg", caption: "e on f", negative_caption: "f on e" },
      },
    });
  });

  it("puts the right caption first, allows gaps, and embeds an image once", async () => {
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "selection");
    assert.deepEqual(folder.images(dataset), ["val2017/2.jpg", "val2017/1.jpg"]);
    assert.deepEqual(dataset.instances, [
      { images: [0], captions: ["a on b", "b on a"] },
      { images: [1], captions: ["c on d", "d on c"] },
      { images: [0], captions: ["e on f", "f on e"] },
    ]);
    assert.equal(dataset.convertToRgbFirst, false);
  });

  it("asks for a task, which the folder alone does not tell", async () => {
    await assert.rejects(
      folder.read({ name: "sugar_crepe" }),
      inputError(/sugar_crepe: expected a task .*swap_obj/),
    );
    await assert.rejects(
      folder.read({ name: "sugar_crepe/add_att" }),
      inputError(/add_att\.json: not found; download it/),
    );
    folder.remove("val2017/1.jpg");
    await assert.rejects(folder.read(), inputError(/expected 2 images .* 1 missing/));
  });
});
