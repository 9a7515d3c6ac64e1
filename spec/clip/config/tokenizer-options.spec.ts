import assert from "node:assert/strict";
import { tokenizerOptions } from "../../../lib/clip/config/tokenizer-options.ts";
import type { BertTextConfig } from "../../../lib/clip/config/clip-config.ts";
import { exampleRobertaText } from "../../support/example-config.ts";

describe("tokenizerOptions", () => {
  it("are the config's, with the size of Chinese-CLIP's vocabulary", () => {
    const common = { contextLength: 4, clean: "whitespace", stripSeparator: false };
    assert.deepEqual(tokenizerOptions(exampleRobertaText), { ...common, dialect: "hugging-face" });
    const chinese: BertTextConfig = {
      ...exampleRobertaText,
      kind: "bert",
      tokenizer: { ...exampleRobertaText.tokenizer, wordPiece: "cn-clip" },
    };
    assert.deepEqual(tokenizerOptions(chinese), { ...common, dialect: "cn-clip", vocabSize: 5 });
  });
});
