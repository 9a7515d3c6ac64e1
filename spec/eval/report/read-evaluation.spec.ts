import assert from "node:assert/strict";
import type { Details } from "../../../lib/eval/evaluation.ts";
import { readEvaluation } from "../../../lib/eval/report/read-evaluation.ts";
import { evaluationWith } from "../../support/evaluation-details.ts";

const classes = [
  { name: "a", examples: 3, recall: 1, precision: 0.75 },
  { name: "b", examples: 0, recall: null, precision: null },
];
const worst = { image: "i", caption: null, rank: 3, instead: "c" };

const every: Details[] = [
  {
    kind: "classification",
    classes,
    confusions: [
      [0, 0, 3],
      [0, 1, 1],
    ],
  },
  { kind: "multilabel", classes: [{ name: "a", positives: 1, averagePrecision: 0.5 }] },
  {
    kind: "retrieval",
    captions: 5,
    imageRank: { mean: 1.5, median: 1 },
    textRank: { mean: 2, median: 1.5 },
    worstImageRetrievals: [worst],
    worstTextRetrievals: [],
  },
  { kind: "selection", instances: 3, wrong: [1] },
  { kind: "linear_probe", trainImages: 10, weightDecay: 0.1, classes, confusions: [[0, 0, 3]] },
];

describe("readEvaluation", () => {
  it("reads the details of every task", () => {
    const prompts = {
      sources: { classNames: "n", templates: "t" },
      isFallback: true,
      classes: 2,
      prompts: 4,
      first: ["a", "b"],
      names: { repeated: [{ name: "a", classes: [0, 1] }], blank: [1], padded: [] },
      sha256: "ff",
    };
    for (const details of every) {
      const evaluation = evaluationWith(details, {
        prompts,
        failed: [{ image: "i", reason: "r" }],
        split: null,
      });
      assert.deepEqual(readEvaluation(JSON.stringify({ ...evaluation, more: 1 }), "d.json"), evaluation);
    }
  });

  it("refuses damaged details", () => {
    const read = (details: object) => () =>
      readEvaluation(JSON.stringify(evaluationWith(details as Details)), "d.json");
    assert.throws(
      read({ kind: "other" }),
      /d\.json: expected details\.kind to be .*; expected details that clipscope/,
    );
    assert.throws(
      read({ kind: "classification", classes, confusions: [[0, 2, 1]] }),
      /confusions\[0\]\[1\] to be a whole/,
    );
    assert.throws(
      read({ kind: "classification", classes, confusions: [[0]] }),
      /\[true class, predicted class/,
    );
    assert.throws(() => readEvaluation("{", "d.json"), /d\.json: not valid JSON/);
  });
});
