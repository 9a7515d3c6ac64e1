import assert from "node:assert/strict";
import type { InputError } from "../../lib/errors/input-error.ts";
import type { Dataset } from "../../lib/eval/dataset.ts";
import { assertKnownLanguage, hasOneLanguage } from "../../lib/eval/languages.ts";
import { readClassNameFile } from "../../lib/eval/prompts/prompt-files.ts";

const common = { name: "wds/x", layout: "webdataset", split: "test", images: [], sources: [] };
const classes: Dataset = {
  ...common,
  kind: "classification",
  language: null,
  convertToRgbFirst: true,
  labels: [],
  classNames: null,
  templates: null,
  classFolders: null,
};
const captions: Dataset = {
  ...common,
  kind: "retrieval",
  language: null,
  convertToRgbFirst: true,
  captions: [],
};
const classNames = readClassNameFile('{"x": ["Hund"]}', "de.json");

describe("languages of datasets with texts in one language", () => {
  it("are CLIP_benchmark's, which the error lists", () => {
    for (const language of ["ar", "cn", "en", "it", "jp"]) assertKnownLanguage(classes, language, {});
    for (const language of ["cn", "zh", "ja", "jp", "quz", "fil", "zho_Hans", "eng_Latn"]) {
      assertKnownLanguage(captions, language, {});
    }
    for (const [dataset, language] of [
      [classes, "xx"],
      [classes, "zh"],
      [classes, "EN"],
      [captions, "zz"],
      [captions, "eng_Latin"],
    ] as const) {
      assert.throws(
        () => {
          assertKnownLanguage(dataset, language, {});
        },
        (error: InputError) =>
          /^wds\/x: .*expected one of these/.test(error.message) && /^ar /.test(error.details[0]!),
      );
    }
  });

  it("are any with prompts from files, and those of the dataset where it has several", () => {
    assertKnownLanguage(classes, "de", { classNames });
    assertKnownLanguage({ ...captions, language: "nds" }, "nds", {});
    assert.equal(hasOneLanguage(classes, {}), true);
    assert.equal(hasOneLanguage(classes, { classNames }), false);
    assert.equal(hasOneLanguage({ ...captions, language: "it" }, {}), false);
  });
});
