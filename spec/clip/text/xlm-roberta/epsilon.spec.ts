import { strict as assert } from "node:assert";
import { Clip } from "../../../../lib/clip/clip.ts";
import { RobertaTextTower } from "../../../../lib/clip/text/xlm-roberta/roberta-text-tower.ts";
import { openWeights, readModelDirectory } from "../../../../lib/node/models/model-directory.ts";
import { fixture } from "../../../support/paths.ts";

describe("LayerNorm's epsilon", () => {
  // Every fixture has 1e-5 in both towers, so that parity alone would not see them mixed up.
  it("is the config's everywhere in XLM-R, and 1e-5 everywhere in the image tower", async () => {
    const directory = fixture("tiny/gelu-mlp");
    const { config, preprocess } = await readModelDirectory(directory);
    assert.equal(config.text.kind, "xlm-roberta");
    const roberta = { ...config.text.roberta, layerNormEpsilon: 0.125 };
    const model = new Clip({
      config: { ...config, text: { ...config.text, roberta } },
      preprocess,
      store: await openWeights(directory),
      loadTokenizer: () => Promise.reject(new Error("not used")),
    });
    const { visual, text } = model;
    assert.ok(text instanceof RobertaTextTower);
    const { embeddings, encoder } = text.transformer;
    const inText = [
      embeddings.layerNorm,
      ...encoder.layer.flatMap(({ attention, output }) => [attention.output.layerNorm, output.layerNorm]),
    ];
    const inImages = [
      visual.ln_pre,
      ...visual.transformer.resblocks.flatMap(({ ln_1, ln_2 }) => [ln_1, ln_2]),
      visual.ln_post,
    ];
    assert.deepEqual(new Set(inText.map(({ epsilon }) => epsilon)), new Set([0.125]));
    assert.deepEqual(new Set(inImages.map(({ epsilon }) => epsilon)), new Set([1e-5]));
    await model.dispose();
  });
});
