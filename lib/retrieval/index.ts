/**
 * Index folders: their files, ids and deleted rows; the scan of int8 codes. Runs in browsers too.
 *
 * @module retrieval
 */
export * from "./columns.ts";
export { DistinctRows, maximalMarginalRelevance } from "./diversity.ts";
export { GlobalIds, type RowPlace } from "./global-ids.ts";
export * from "./index-file.ts";
export * from "./layout.ts";
export { decodeMarker, encodeMarker, type Marker, type WrittenFile } from "./marker.ts";
export * from "./plan-file.ts";
export { paddedWidth, type CodeMemory, type ScanKernel } from "./scan/kernel.ts";
export { quantiseQuery, quantiseRow, type QuantisedQuery, type QuantisedRow } from "./scan/quantise.ts";
export { scanCodes, type CodeSegment, type Mask, type Wanted } from "./scan/scan-codes.ts";
export type { ScoredRow } from "./scan/top-rows.ts";
export { wasmKernel } from "./scan/wasm-kernel.ts";
export { Tombstones } from "./tombstones.ts";
