import { strict as assert } from "node:assert";
import { slice, type Rank, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { effectOf } from "../../lib/study/effects.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";
import { valuesOf } from "../support/values.ts";

describe("effectOf", () => {
  let model: Clip;
  let pixels: Tensor4D;
  before(async () => {
    model = await loadTiny("gelu-mlp");
    const golden = await openGolden(tinyGolden("gelu-mlp"));
    const images = golden.readImage()!;
    pixels = slice<Rank.R4, Tensor4D>(images, [0, 0, 0, 0], [1, -1, -1, -1]);
    images.dispose();
    await golden.close();
  });
  after(async () => {
    pixels.dispose();
    await model.dispose();
  });

  const run = () => model.encodeImage(pixels);

  it("lists the values behind an intervention that it changes, in the order of the pass", async () => {
    const tap = "visual.transformer.resblocks.1.mlp";
    const effect = await withoutBlockingReads(() => effectOf(run, [{ tap, by: "zero", tokens: [0] }]));
    assert.deepEqual(effect.before, await valuesOf(run()));
    assert.notDeepEqual(effect.after, effect.before);
    const names = effect.changes.map((change) => change.tap);
    assert.equal(names[0], "visual.transformer.resblocks.1");
    assert.equal(names.at(-1), "visual");
    assert.ok(names.every((name) => !/resblocks\.0|conv1|ln_pre/.test(name)));
    for (const { relativeL2, cosine } of effect.changes) {
      assert.ok(relativeL2 > 0 && Number.isFinite(relativeL2));
      assert.ok(cosine < 1 && cosine >= -1);
    }
  });

  it("finds no change for an intervention that selects nothing, and compares the taps that are asked for", async () => {
    const nothing = await effectOf(run, [{ tap: "visual.ln_pre", by: "zero", tokens: [] }]);
    assert.deepEqual([nothing.changes, nothing.after], [[], nothing.before]);
    const some = await effectOf(run, [{ tap: "visual.ln_pre", by: "mean" }], ["*resblocks.?"]);
    assert.deepEqual(
      some.changes.map(({ tap }) => tap),
      [0, 1, 2].map((i) => `visual.transformer.resblocks.${i}`),
    );
  });

  it("refuses a tap that the pass does not have", async () => {
    await assert.rejects(effectOf(run, [{ tap: "visual.nothing", by: "zero" }]), {
      name: "InputError",
      message: 'no tap "visual.nothing" to intervene at; expected one of',
    });
  });
});
