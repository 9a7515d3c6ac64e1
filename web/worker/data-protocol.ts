/** What the page asks the worker that reads features files. */
import type { Metadata } from "../../lib/features/features.ts";

/** A features file that is open. */
export interface OpenFeatures {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
  /** Without the paths. */
  readonly metadata: Metadata;
  /** Whether the rows are in memory; else each search reads the file. */
  readonly isKept: boolean;
}

export interface Found {
  readonly row: number;
  readonly path: string;
  readonly similarity: number;
}

export interface DataCalls {
  /** Opens a features file in place of the one before. */
  readonly open: {
    readonly params: { readonly name: string; readonly blob: Blob };
    readonly result: OpenFeatures;
    readonly update: never;
  };
  /** The rows that are nearest to a query: features, or the number of a row. */
  readonly search: {
    readonly params: { readonly query: Float32Array | number; readonly top: number };
    readonly result: { readonly found: readonly Found[]; readonly milliseconds: number };
    readonly update: never;
  };
  /** The rows on the two directions of the largest variance. Of many rows, evenly spaced ones. */
  readonly map: {
    readonly params: { readonly most: number };
    readonly result: FeaturesMap;
    readonly update: never;
  };
}

export interface FeaturesMap {
  readonly rows: readonly number[];
  readonly paths: readonly string[];
  /** [rows, 2] */
  readonly places: Float32Array;
  /** The fraction of the variance along each axis. */
  readonly explained: readonly number[];
}
