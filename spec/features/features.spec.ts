import assert from "node:assert/strict";
import { InputError } from "../../lib/errors/input-error.ts";
import {
  renumberLabels,
  requireLabels,
  type Classes,
  type Features,
  type LabelledFeatures,
} from "../../lib/features/features.ts";

function features(labels: readonly number[] | null, classNames: readonly string[] | null = null): Features {
  const rows = labels?.length ?? 1;
  return {
    name: "F",
    values: new Float32Array(rows),
    rows,
    width: 1,
    labels,
    classNames,
    paths: null,
    metadata: {},
  };
}

describe("requireLabels", () => {
  it("numbers ids from 0, in ascending order, and keeps them", () => {
    const { labels, classIds } = requireLabels(features([2 ** 40, 7, 999_999_999, 7]));
    assert.deepEqual(
      [labels, classIds],
      [
        [2, 0, 1, 0],
        [7, 999_999_999, 2 ** 40],
      ],
    );
  });

  it("leaves labels from 0 without gaps, and those of class names, as they are", () => {
    for (const given of [features([1, 0, 2]), features([2, 0], ["a", "b", "c"])]) {
      assert.deepEqual(requireLabels(given), given);
    }
  });

  it("may be called twice", () => {
    const once = requireLabels(features([5, 3]));
    assert.deepEqual(requireLabels(once), once);
  });

  for (const label of [-1, 1.5, NaN, 2 ** 53]) {
    it(`refuses the label ${label}`, () => {
      assert.throws(
        () => requireLabels(features([0, label])),
        new InputError(
          `F: the label of row 1 is ${label}, expected a whole number from 0 to 2^53 − 1; correct it or remove the row`,
        ),
      );
    });
  }
});

describe("renumberLabels", () => {
  const probe = (of: Partial<Classes>): Classes => ({
    where: "the probe P",
    count: 3,
    classNames: null,
    ...of,
  });
  const given = (labels: number[], names?: string[]): LabelledFeatures =>
    requireLabels(features(labels, names ?? null));

  it("matches names", () => {
    const to = probe({ classNames: ["a", "b", "c"] });
    const { labels, classNames } = renumberLabels(given([0, 1, 1], ["c", "a"]), to);
    assert.deepEqual(
      [labels, classNames],
      [
        [2, 0, 0],
        ["a", "b", "c"],
      ],
    );
  });

  it("matches ids", () => {
    const to = probe({ classIds: [10, 20, 30] });
    const { labels, classIds } = renumberLabels(given([30, 10, 30]), to);
    assert.deepEqual(
      [labels, classIds],
      [
        [2, 0, 2],
        [10, 20, 30],
      ],
    );
  });

  it("matches labels with gaps to a probe of 0, 1, 2, …", () => {
    const { labels, classIds } = renumberLabels(given([2, 0]), probe({}));
    assert.deepEqual([labels, classIds], [[2, 0], undefined]);
  });

  it("matches names to ids", () => {
    const to = probe({ classIds: [10, 20, 30] });
    assert.deepEqual(renumberLabels(given([0, 1], ["30", "20"]), to).labels, [2, 1]);
  });

  it("keeps equal lists of names that hold a name twice", () => {
    const names = ["crane", "dog", "crane"];
    assert.deepEqual(renumberLabels(given([2, 0], names), probe({ classNames: names })).labels, [2, 0]);
  });

  it("refuses a name that several classes have", () => {
    const to = probe({ classNames: ["crane", "dog", "crane"] });
    assert.throws(
      () => renumberLabels(given([0], ["crane"]), to),
      /F: several classes of the probe P have the name "crane"/,
    );
  });

  it("refuses unknown names and ids", () => {
    assert.throws(
      () => renumberLabels(given([0], ["fox"]), probe({ classNames: ["a", "b", "c"] })),
      /F: the class "fox" is unknown to the probe P; its classes are these/,
    );
    assert.throws(
      () => renumberLabels(given([10, 11]), probe({ classIds: [10, 20, 30] })),
      /F: the label of row 1 is 11, but the probe P has 3 classes and this label is not among them/,
    );
    assert.throws(
      () => renumberLabels(given([0, 3]), probe({})),
      /the label of row 1 is 3, but the probe P has 3 classes$/,
    );
  });
});
