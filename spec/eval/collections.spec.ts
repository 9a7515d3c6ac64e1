/** Against CLIP_benchmark's lists; see tools/golden/evaluation.py. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { collections, expandCollection } from "../../lib/eval/collections.ts";
import { fixture } from "../support/paths.ts";

const golden = JSON.parse(readFileSync(fixture("eval/collections.json"), "utf8")) as Record<string, string[]>;
const names = (collection: string): string[] => expandCollection(collection).map(({ dataset }) => dataset);

describe("collections", () => {
  for (const [collection, expected] of Object.entries(golden)) {
    it(`${collection}: the datasets of CLIP_benchmark, in its order`, () => {
      assert.deepEqual(names(collection), expected);
    });
  }

  it("include all of CLIP_benchmark's, and two with languages", () => {
    const own = Object.keys(collections).filter((name) => !Object.hasOwn(golden, name));
    assert.deepEqual(own.sort(), ["imagenet-translated", "multilingual"]);
    const [imagenet, coco] = expandCollection("multilingual");
    assert.deepEqual(imagenet?.languages, ["cn", "it", "jp", "en", "ar"]);
    assert.deepEqual([coco?.dataset, coco?.languages?.length], ["multilingual_mscoco_captions", 11]);
  });

  it("take the prefix of WebDatasets, once", () => {
    assert.deepEqual(names("wds/retrieval"), ["wds/mscoco_captions", "wds/flickr8k", "wds/flickr30k"]);
    assert.deepEqual(names("wds/webdatasets"), golden["webdatasets"]);
  });

  it("leave other names alone", () => {
    for (const name of ["imagenet1k", "wds/imagenet1k", "wds/", "", "constructor", "a/vtab"]) {
      assert.deepEqual(expandCollection(name), [{ dataset: name }]);
    }
  });
});
