/**
 * Comparison with OpenCLIP, tap by tap: golden files and their verification. Runs in browsers too.
 *
 * @module parity
 */
export { Golden } from "./golden.ts";
export { decodeReport, encodeReport, type StoredReport } from "./report-json.ts";
export {
  verify,
  type ComparedValues,
  type ParityReport,
  type TapReport,
  type VerifyOptions,
} from "./verify.ts";
