/** The distance between two sets of kept passes, tap by tap. */
import { compareTraces, type TapDifference } from "../../trace/compare-traces.ts";
import { JoinedTrace } from "../../trace/joined-trace.ts";
import type { Answer } from "../answer.ts";

/** Each side's kept traces: of an image, of a text, of their similarity. */
export interface DifferencesParams {
  readonly a: readonly string[];
  readonly b: readonly string[];
}

/** Compares every tap of two sides, which this network has run. Sends each comparison when it is there. */
export const differences: Answer<DifferencesParams, readonly TapDifference[], TapDifference> = async (
  passes,
  params,
  { signal, progress, update },
) => {
  const [a, b] = [params.a, params.b].map(
    (side) => new JoinedTrace(side.map((trace) => passes.find(trace).trace)),
  ) as [JoinedTrace, JoinedTrace];
  const found: TapDifference[] = [];
  for await (const difference of compareTraces(a, b, signal)) {
    found.push(difference);
    update(difference);
    progress(found.length, Math.max(a.taps.length, b.taps.length));
  }
  return found;
};
