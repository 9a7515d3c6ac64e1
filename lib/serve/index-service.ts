/** What a server needs of an index. */

/** The vectors that are searched: of images or of captions. */
export type Side = "image" | "text";

/** A value of the metadata. */
export type Cell = string | number | boolean | null;

/** A part of a query that is embedded already, or a row. Weights below 0 are for what results should not be like. */
export type VectorTerm = { readonly weight: number } & (
  { readonly vector: ArrayLike<number> } | { readonly id: number }
);

/** What a search looks for. */
export interface Search {
  readonly side: Side;
  /** Rows, at most. */
  readonly top: number;
  /** Rows are at least this similar. */
  readonly min?: number;
  /** A condition of a client on the columns that it may see. */
  readonly where?: string;
  /** Conditions of the server. */
  readonly conditions: readonly string[];
  /** Leave out rows at least this similar to a better one. */
  readonly dedup?: number;
}

/** A row that was found. */
export interface ScoredRow {
  readonly id: number;
  readonly score: number;
}

/** The values of a row that a client may see. Those that are null are missing. */
export type ShownRow = Readonly<Record<string, string | number | boolean>>;

/** An index that is served. Its errors name no files. */
export interface IndexService {
  readonly name: string;
  /** Deleted ones not included. */
  readonly rows: number;
  readonly width: number;
  /** The columns that clients see. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  has(side: Side): boolean;
  /** @returns [width], of norm 1 @throws InputError for terms that cancel out, and rows that there are not */
  vectorOf(terms: readonly VectorTerm[], side: Side): Promise<Float32Array>;
  /**
   * @param vector [width], of norm 1
   * @returns best first
   * @throws InputError for a condition that does not fit; the signal's reason if it is aborted
   */
  search(vector: Float32Array, search: Search, signal: AbortSignal): Promise<readonly ScoredRow[]>;
  /** @throws InputError for an id that no row has, or a deleted one has */
  shownRows(ids: readonly number[]): Promise<readonly ShownRow[]>;
  /** @returns [ids, width] as stored */
  vectors(ids: readonly number[], side: Side): Promise<Float32Array>;
  /** A small copy of a row's image as JPEG; null if there is none, or it may not be shown. */
  thumbnail(id: number, signal: AbortSignal): Promise<Uint8Array | null>;
}
