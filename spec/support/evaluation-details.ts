/** Results for the specs of reports. */
import type { Details } from "../../lib/eval/evaluation.ts";
import type { ReportedResult, ResultEvaluation } from "../../lib/eval/report/reported-result.ts";

/** An evaluation of 4 images; everything in it can be changed. */
export function evaluationWith(details: Details, change: Partial<ResultEvaluation> = {}): ResultEvaluation {
  return {
    images: 4,
    datasetImages: 4,
    failed: [],
    ties: 0,
    layout: "webdataset",
    split: "test",
    imagesSha256: "0123456789abcdef0123456789abcdef",
    standardErrors: { acc1: 0.25 },
    prompts: null,
    details,
    ...change,
  };
}

/** A result of classification. */
export function resultWith(change: Partial<ReportedResult> = {}): ReportedResult {
  return {
    file: "r.json",
    record: {
      dataset: "wds/x",
      model: "m",
      pretrained: "p",
      task: "zeroshot_classification",
      metrics: { acc1: 0.5, acc5: null },
      language: "en",
    },
    evaluation: null,
    comparisons: [],
    ...change,
  };
}
