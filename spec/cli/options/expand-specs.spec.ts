import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { expandSpecs } from "../../../cli/options/expand-specs.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("expandSpecs", () => {
  const folder = temporaryFolder();

  async function expand(given: readonly string[], languages?: readonly string[]): Promise<string[]> {
    const specs = await expandSpecs(given, languages, Readable.from([]));
    return specs.map(({ dataset, language }) => `${dataset} ${language}`);
  }

  it("gives each dataset each language; default: English", async () => {
    assert.deepEqual(await expand(["a", "wds/b"]), ["a en", "wds/b en"]);
    assert.deepEqual(await expand(["a", "b"], ["it", "cn"]), ["a it", "a cn", "b it", "b cn"]);
  });

  it("takes the languages of a collection, unless others are given", async () => {
    assert.deepEqual(
      await expand(["imagenet-translated"]),
      ["cn", "it", "jp", "en", "ar"].map((language) => `imagenet1k ${language}`),
    );
    assert.deepEqual(await expand(["imagenet-translated"], ["it"]), ["imagenet1k it"]);
  });

  it("reads names and collections from files, and keeps folders", async () => {
    const list = folder.file("list.txt");
    writeFileSync(list, "  mnist\r\n\n wds/retrieval \n");
    mkdirSync(folder.file("images"));
    assert.deepEqual(await expand([list, folder.file("images")]), [
      "mnist en",
      "wds/mscoco_captions en",
      "wds/flickr8k en",
      "wds/flickr30k en",
      `${folder.file("images")} en`,
    ]);
  });

  it("refuses values that an option would have taken in CLIP_benchmark", async () => {
    await assert.rejects(expand(["flickr8k", "5"]), {
      name: "InputError",
      message: /^5: .*options are repeated for several values: --recall-k 1 --recall-k 5$/,
    });
    for (const code of ["it", "eng_Latn"]) {
      await assert.rejects(expand(["xtd10", code], ["en"]), { message: /--language en --language / });
    }
    mkdirSync(folder.file("5"));
    assert.deepEqual(await expand([folder.file("5"), "it"]), [`${folder.file("5")} en`, "it en"]);
  });

  it("refuses files without names", async () => {
    writeFileSync(folder.file("empty"), "\n \n");
    await assert.rejects(expand([folder.file("empty")]), {
      name: "InputError",
      message: /empty: expected the names of datasets, found none$/,
    });
  });
});
