import assert from "node:assert/strict";
import { crossValidate } from "../../lib/probe/cross-validate.ts";
import { fitProbe } from "../../lib/probe/fit.ts";
import { meanInterval } from "../../lib/probe/interval.ts";
import { randomFeatures } from "../support/random-features.ts";

describe("crossValidate", () => {
  it("fits on all folds but one, and measures on that one", async () => {
    const features = randomFeatures(30, 3, 3);
    const seen: number[][] = [];
    const { accuracies, mean, half } = await crossValidate(features, 5, (train) => {
      seen.push([train.rows, new Set(train.labels).size]);
      return fitProbe(train).probe;
    });
    assert.deepEqual(seen, Array(5).fill([24, 3]));
    assert.equal(accuracies.length, 5);
    assert.deepEqual({ mean, half }, meanInterval(accuracies, 1 / 5));
  });

  it("measures each row once", async () => {
    const features = { ...randomFeatures(7, 1, 2), paths: Array.from("abcdefg") };
    const trained: string[] = [];
    await crossValidate(features, 3, (train) => {
      trained.push(...train.paths!);
      return fitProbe(train).probe;
    });
    for (const path of features.paths) assert.equal(trained.filter((one) => one === path).length, 2);
  });

  it("refuses more folds than a class has rows", async () => {
    await assert.rejects(
      crossValidate(
        { ...randomFeatures(6, 1, 2), classNames: ["a", "b"] },
        4,
        (train) => fitProbe(train).probe,
      ),
      /^InputError: random: the class "a" has 3 rows, expected 4 or more for 4 folds; use fewer folds or add examples$/,
    );
  });
});
