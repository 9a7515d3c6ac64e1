/** Traces of passes, and what is known about each tap. Runs in browsers too. */
export { compareTraces, type TapDifference } from "./compare-traces.ts";
export { JoinedTrace } from "./joined-trace.ts";
export { MemoryTrace } from "./memory-trace.ts";
export { StoredTrace } from "./stored-trace.ts";
export { matrixOf, rangeOf, summarizeTap, type Matrix, type TapSummary } from "./tap-summary.ts";
export { docOf, parseTapDocs, type Link, type TapDoc } from "./tap-docs.ts";
export type { TapInfo, TraceSource, WritableTrace } from "./trace-source.ts";
