/**
 * Comparison with OpenCLIP, tap by tap: golden files and their verification. Runs in browsers too.
 *
 * @module parity
 */
export { Golden } from "./golden.ts";
export { verify, type ParityReport, type TapReport, type VerifyOptions } from "./verify.ts";
