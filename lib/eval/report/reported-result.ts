/** What a report shows of one result. */
import type { Evaluation } from "../evaluation.ts";
import type { Comparison } from "../published.ts";
import type { ResultRecord } from "../record.ts";

/** The parts of an evaluation that a report shows. */
export type ResultEvaluation = Pick<
  Evaluation,
  | "images"
  | "datasetImages"
  | "failed"
  | "ties"
  | "layout"
  | "split"
  | "imagesSha256"
  | "standardErrors"
  | "prompts"
  | "details"
>;

/** A result, with its details if clipscope made it, and the published figures of the same kind. */
export interface ReportedResult {
  /** The name of its file. */
  readonly file: string;
  readonly record: ResultRecord;
  /** Null for results of CLIP_benchmark, which have no details. */
  readonly evaluation: ResultEvaluation | null;
  /** Empty for partial results, which are not compared. */
  readonly comparisons: readonly Comparison[];
}
