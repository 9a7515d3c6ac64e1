/** Every tap of the tiny models against OpenCLIP's activations, end to end. */
import { strict as assert } from "node:assert";
import { memory, tensor4d, type Tensor4D } from "@tensorflow/tfjs-core";
import { withTaps } from "../../lib/tensor/taps.ts";
import type { Clip } from "../../lib/clip/clip.ts";
import {
  assertClose,
  loadTiny,
  readGolden,
  tinyModels,
  valuesOf,
  type Golden,
  type Values,
} from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

/** Modules of PyTorch that do nothing in evaluation, which we do not have. */
const identities = /(\.dropout|\.ls_1|\.ls_2|\.patch_dropout)$/;

for (const name of tinyModels) {
  describe(`parity: ${name}`, () => {
    let golden: Golden;
    let model: Clip;
    const ours = new Map<string, Values>();

    before(async () => {
      golden = await readGolden(fixture(`tiny/${name}/golden.safetensors`));
      model = await loadTiny(name);
      await run(model, golden, ours);
    });

    after(() => model.dispose());

    it("emits the taps that PyTorch's modules have, and no other", () => {
      const identity = (tap: string): boolean =>
        identities.test(tap) || (name === "no-projection" && tap === "text.proj");
      const expected = [...golden.taps.keys()].filter((tap) => !identity(tap));
      assert.deepEqual([...ours.keys()].filter((tap) => !tap.includes("#")).sort(), expected.sort());
    });

    it("agrees at every tap", () => {
      for (const [tap, values] of ours) {
        if (tap.includes("#")) continue;
        assertClose(tap, values, golden.taps.get(tap) as Values, golden.isToken);
      }
    });

    it("gives the same numbers with weights streamed, and leaves no tensor behind", async () => {
      const before = memory().numTensors;
      const streamed = await loadTiny(name, "streamed");
      const again = new Map<string, Values>();
      await run(streamed, golden, again);
      await streamed.dispose();
      assert.equal(memory().numTensors, before);
      for (const [tap, { values }] of again) assert.deepEqual(values, ours.get(tap)?.values, tap);
    });
  });
}

async function run(model: Clip, { image, text }: Golden, taps: Map<string, Values>): Promise<void> {
  await withTaps(
    (tap, value) => {
      assert.ok(!taps.has(tap), `${tap} was emitted twice`);
      taps.set(tap, valuesOf(value));
    },
    async () => {
      const pixels: Tensor4D = tensor4d(image.values, [...image.shape] as Tensor4D["shape"]);
      const images = await model.encodeImage(pixels, { normalize: true });
      const texts = await model.encodeTokens(text, { normalize: true });
      const logits = await model.logits(images, texts);
      for (const tensor of [pixels, images, texts, logits]) tensor.dispose();
    },
  );
}
