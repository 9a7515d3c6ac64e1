/**
 * Index folders: their files, ids and deleted rows. Runs in browsers too.
 *
 * @module retrieval
 */
export * from "./columns.ts";
export { GlobalIds, type RowPlace } from "./global-ids.ts";
export * from "./index-file.ts";
export * from "./layout.ts";
export { decodeMarker, encodeMarker, type Marker, type WrittenFile } from "./marker.ts";
export * from "./plan-file.ts";
export { Tombstones } from "./tombstones.ts";
