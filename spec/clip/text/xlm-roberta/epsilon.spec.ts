import { strict as assert } from "node:assert";
import { Clip } from "../../../../lib/clip/clip.ts";
import { XlmRobertaTextTower } from "../../../../lib/clip/text/xlm-roberta/xlm-roberta-text-tower.ts";
import { openWeights, readModelDirectory } from "../../../../lib/node/models/model-directory.ts";
import { fixture } from "../../../support/paths.ts";

describe("LayerNorm's epsilon", () => {
  // Every fixture has 1e-5 in both towers, so parity specs would not notice if they were mixed up.
  it("is the one of each tower's config in all of its layers", async () => {
    const directory = fixture("tiny/gelu-mlp");
    const { config, preprocess } = await readModelDirectory(directory);
    assert.equal(config.text.kind, "xlm-roberta");
    const roberta = { ...config.text.roberta, layerNormEpsilon: 0.125 };
    const model = new Clip({
      config: {
        ...config,
        text: { ...config.text, roberta },
        vision: { ...config.vision, layerNormEpsilon: 0.25 },
      },
      preprocess,
      store: await openWeights(directory),
      loadTokenizer: () => Promise.reject(new Error("not used")),
    });
    const { visual, text } = model;
    assert.ok(text instanceof XlmRobertaTextTower);
    const { embeddings, encoder } = text.transformer;
    const inText = [
      embeddings.layerNorm,
      ...encoder.layer.flatMap(({ attention, output }) => [attention.output.layerNorm, output.layerNorm]),
    ];
    const inImages = [
      visual.lnPre,
      ...visual.transformer.resblocks.flatMap(({ ln1, ln2 }) => [ln1, ln2]),
      visual.lnPost,
    ];
    assert.deepEqual(new Set(inText.map(({ epsilon }) => epsilon)), new Set([0.125]));
    assert.deepEqual(new Set(inImages.map(({ epsilon }) => epsilon)), new Set([0.25]));
    await model.dispose();
  });
});
