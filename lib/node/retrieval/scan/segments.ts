/** The parts of an index's codes that one thread scans. */
import type { CodeSegment } from "../../../retrieval/scan/scan-codes.ts";
import type { ScanKernel } from "../../../retrieval/scan/kernel.ts";
import { loadCodes, type CodesFile } from "./codes.ts";

/** A file of codes, and the id of its first row. */
export interface PlacedCodes {
  readonly file: CodesFile;
  readonly firstId: number;
}

/** Rows of a file that one thread scans. */
export interface SegmentPlace extends PlacedCodes {
  readonly first: number;
  readonly rows: number;
}

/** Loads segments into a kernel's memory. */
export async function loadSegments(
  places: readonly SegmentPlace[],
  kernel: ScanKernel,
): Promise<CodeSegment[]> {
  const segments: CodeSegment[] = [];
  for (const place of places) segments.push(await loadCodes(place.file, kernel, place));
  return segments;
}
