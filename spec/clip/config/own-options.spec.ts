import assert from "node:assert/strict";
import { applyOwnOptions } from "../../../lib/clip/config/own-options.ts";
import type { ClipConfig } from "../../../lib/clip/config/clip-config.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { exampleConfig, exampleRobertaText } from "../../support/example-config.ts";

describe("applyOwnOptions", () => {
  const config: ClipConfig = { ...exampleConfig, text: exampleRobertaText };
  const apply = (options: unknown, to = config): ClipConfig =>
    applyOwnOptions(to, JsonValue.of(options, "open_clip_config.json: clipscope"));

  it("changes the tokenizer, and nothing without options", () => {
    const options = { clean: "none", wordpiece: "cn-clip", tokenizer: "vocab.txt" };
    const { tokenizer } = apply(options).text;
    assert.deepEqual(tokenizer, {
      ...exampleRobertaText.tokenizer,
      clean: "none",
      wordPiece: "cn-clip",
      file: "vocab.txt",
    });
    assert.equal(apply(undefined), config);
    assert.deepEqual(apply({}), config);
  });

  it("refuses unknown options, and any for CLIP's own tokenizer", () => {
    assert.throws(() => apply({ clean: "lower" }), /clipscope: expected clean to be "none", found "lower"/);
    assert.throws(() => apply({ lower: true }), /expected lower to be absent/);
    assert.throws(() => apply({ clean: "none" }, exampleConfig), /no such options for CLIP's own tokenizer/);
  });
});
