import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { deletionCurve } from "../../../lib/study/saliency/deletion.ts";
import { occlusion } from "../../../lib/study/saliency/occlusion.ts";
import { assertNear } from "../../support/near.ts";
import { openSaliencyGolden, scoreUnder, type SaliencyGolden } from "../../support/saliency-golden.ts";

describe("deletionCurve", () => {
  let given: SaliencyGolden; // images of 28 × 42 pixels, 2 × 3 patches
  before(async () => {
    given = await openSaliencyGolden("gelu-mlp");
  });
  after(() => given.close());

  it("covers the patches in the order of a map, of patches or of pixels", async () => {
    const { model, pixels, ofText } = given;
    const { map, score } = await occlusion(model, pixels, ofText, { window: 14, stride: 14 });
    const before = memory().numTensors;
    const curve = await deletionCurve(model, pixels, map, ofText, { batchSize: 3 });
    assert.equal(memory().numTensors, before);
    assertNear(
      [...curve.fractions],
      [0, 1, 2, 3, 4, 5, 6].map((i) => i / 6),
      1e-9,
    );
    const drops = [0, 1, 2, 3, 4, 5].map((p) => map.values[14 * Math.floor(p / 3) * 42 + 14 * (p % 3)]!);
    const worst = drops.indexOf(Math.max(...drops));
    const isIn = (patch: number, y: number, x: number): boolean =>
      Math.floor(y / 14) === Math.floor(patch / 3) && Math.floor(x / 14) === patch % 3;
    assertNear(
      [curve.scores[0]!, curve.scores[1]!, curve.scores[6]!],
      [score, await scoreUnder(given, (y, x) => !isIn(worst, y, x)), await scoreUnder(given, () => false)],
      1e-5,
    );
    const trapezoids = curve.scores
      .slice(1)
      .reduce((sum, value, i) => sum + (value + curve.scores[i]!) / 12, 0);
    assertNear([curve.area], [trapezoids], 1e-6);
    const reverse = await deletionCurve(model, pixels, map, ofText, { first: "smallest" });
    assert.ok(
      reverse.area > curve.area,
      `${reverse.area} from the least important, ${curve.area} from the most`,
    );
    assertNear([reverse.scores[6]!], [curve.scores[6]!], 1e-5);
  });
});
