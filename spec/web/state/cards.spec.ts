import assert from "node:assert/strict";
import { cardsOf, shortTap, towerOf } from "../../../web/state/cards.ts";

const taps = [
  "input.image",
  "visual.conv1",
  "visual#positioned",
  "visual.ln_pre",
  "visual.transformer.resblocks.0.ln_1",
  "visual.transformer.resblocks.0.attn#probabilities",
  "visual.transformer.resblocks.0",
  "visual.transformer.resblocks.10#after_attention",
  "visual.transformer.resblocks.10",
  "visual",
  "image_features",
  "input.text",
  "text.transformer.embeddings.word_embeddings",
  "text.transformer.encoder.layer.0.attention.self.query",
  "text.transformer.encoder.layer.0",
  "text",
  "text_features",
  "logits_per_image",
];

describe("cardsOf", () => {
  it("groups taps into the parts of each tower", () => {
    assert.deepEqual(
      cardsOf(taps).map(({ id, title }) => [id, title]),
      [
        ["image input", "Image"],
        ["image embed", "Patch embedding"],
        ["image block 0", "Block 0"],
        ["image block 10", "Block 10"],
        ["image read-out", "Read-out"],
        ["text input", "Tokens"],
        ["text embed", "Embeddings"],
        ["text block 0", "Layer 0"],
        ["text read-out", "Pooling and projection"],
        ["joint similarity", "Similarity"],
      ],
    );
  });

  it("has every tap in one card", () => {
    assert.deepEqual(
      cardsOf(taps).flatMap((card) => card.taps),
      taps,
    );
  });

  it("knows the English text tower, whose modules have no prefix", () => {
    const english = [
      "token_embedding",
      "transformer.resblocks.0.ln_1",
      "transformer.resblocks.0",
      "ln_final",
    ];
    assert.deepEqual(
      cardsOf(english).map(({ id }) => id),
      ["text embed", "text block 0", "text read-out"],
    );
    assert.equal(towerOf("transformer.resblocks.0"), "text");
  });
});

describe("shortTap", () => {
  it("leaves out what the card says", () => {
    const card = cardsOf(taps)[2]!;
    assert.deepEqual(
      card.taps.map((tap) => shortTap(tap, card)),
      ["ln_1", "attn#probabilities", "output"],
    );
  });
});
