import assert from "node:assert/strict";
import { countFlops } from "../../lib/clip/flops.ts";
import type { ClipConfig } from "../../lib/clip/config/clip-config.ts";
import { exampleClipText, exampleConfig, exampleRobertaText } from "../support/example-config.ts";

/** Width 2, hidden width 3, one layer; 2 × 2 patches of 2 × 2 pixels; embeddings of 5 numbers. */
const config: ClipConfig = {
  ...exampleConfig,
  embedDim: 5,
  vision: { ...exampleConfig.vision, mlpWidth: 3, imageSize: [4, 4], patchSize: [2, 2] },
  text: { ...exampleClipText, mlpWidth: 3, prefix: "" },
};

describe("countFlops", () => {
  it("counts two operations for each multiply-add of the matrix products", () => {
    const { image, text, modules } = countFlops(config);
    // Of a block, for each token: in_proj 6 × 2, out_proj 2 × 2, c_fc 3 × 2, c_proj 2 × 3.
    const block = 12 + 4 + 6 + 6;
    const attention = (tokens: number): number => 2 * tokens * tokens * 2; // Q · Kᵀ and P · V, in width 2
    const patches = 4 * (2 * 3 * 2 * 2); // each patch with a filter of 3 × 2 × 2, for each of two channels
    assert.equal(image, 2 * (patches + 5 * block + attention(5) + 2 * 5));
    assert.equal(text, 2 * (3 * block + attention(3) + 2 * 5));
    const visual = "visual.transformer.resblocks.0";
    assert.deepEqual([...modules].slice(0, 6), [
      ["visual.conv1", 2 * patches],
      [`${visual}.attn`, 2 * (5 * 12 + attention(5))],
      [`${visual}.attn.out_proj`, 2 * 5 * 4],
      [`${visual}.mlp.c_fc`, 2 * 5 * 6],
      [`${visual}.mlp.c_proj`, 2 * 5 * 6],
      ["visual", 2 * 2 * 5], // proj
    ]);
    assert.equal(modules.get(""), 2 * 2 * 5); // text_projection, at the root
  });

  it("counts another image size or text length on request", () => {
    const { image, text } = countFlops(config, { imageSize: [2, 5], textLength: 2 });
    // 1 × 2 whole patches and the class token; two tokens.
    assert.equal(image, 2 * (2 * 24 + 3 * 28 + 2 * 3 * 3 * 2 + 10));
    assert.equal(text, 2 * (2 * 28 + 2 * 2 * 2 * 2 + 10));
  });

  it("counts the pooler and the projection of XLM-RoBERTa once for each text", () => {
    const { text } = countFlops({
      ...config,
      text: { ...exampleRobertaText, pooler: "cls_pooler", projection: "mlp" },
    });
    // Of the layer, for each of four tokens: query, key, value, attention.output, intermediate and output, all 2 × 2.
    // Pooler 2 × 2; projection to ⌊(2 + 5) / 2⌋ = 3 and from there to 5.
    assert.equal(text, 2 * (4 * 6 * 4 + 2 * 4 * 4 * 2 + 4 + 2 * 3 + 3 * 5));
  });
});
