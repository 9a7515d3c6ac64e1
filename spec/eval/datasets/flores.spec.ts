import assert from "node:assert/strict";
import { flores } from "../../../lib/eval/datasets/flores.ts";
import { datasetFolder } from "../../support/dataset-folder.ts";

describe("flores", () => {
  const folder = datasetFolder(flores, "flickr30k-200");

  it("reads lists by FLORES-200's codes, and CLIP_benchmark's JSON with an underscore", async () => {
    folder.write(["flickr30k-200/images/1.jpg"]);
    folder.write({
      "flickr30k-200/filenames.txt": "1.jpg",
      "flickr30k-200/ita_Latn.txt": "un gatto",
      "flickr30k-200/notes.txt": "not a language",
      "flickr30k_200-deu_Latn.json": {
        image_paths: ["flickr30k-200/images/1.jpg"],
        annotations: ["eine Katze"],
      },
    });
    assert.equal(await folder.recognizes(), true);
    for (const [language, caption] of [
      ["ita_Latn", "un gatto"],
      ["deu_Latn", "eine Katze"],
    ] as const) {
      const dataset = await folder.read({ language });
      assert.ok(dataset.kind === "retrieval");
      assert.deepEqual([dataset.captions, dataset.language], [[[caption]], language]);
    }
    await assert.rejects(folder.read(), (error: Error & { details: string[] }) => {
      assert.match(error.message, /no captions in the language "en"; choose one of 2 with --language/);
      assert.deepEqual(error.details, ["deu_Latn ita_Latn"]);
      return true;
    });
  });
});
