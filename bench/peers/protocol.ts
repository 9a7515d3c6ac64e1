/**
 * The protocol between the benchmark and its participants: one line of JSON per message.
 *
 * A participant first sends a `Hello`, then one `Reply` per `Request`. Pixels are `syntheticValues("input.image")`,
 * which tools/golden/synthetic.py computes in Python.
 */

export type Request =
  | { readonly kind: "matrix"; readonly size: number }
  | { readonly kind: "image"; readonly batch: number }
  | TextRequest
  /** A step of training on a batch of texts and as many images. */
  | { readonly kind: "train"; readonly rows: readonly (readonly number[])[] }
  /** The peak memory of the process so far. */
  | { readonly kind: "memory" }
  /** The seconds that it took to open what it searches. */
  | { readonly kind: "open" }
  | SearchRequest
  /** Reads the bytes of the image tower's weights, then loads them. */
  | { readonly kind: "load" }
  /** Preprocesses an image file `count` times. */
  | { readonly kind: "preprocess"; readonly path: string; readonly count: number };

export interface SearchRequest {
  readonly kind: "search";
  /** Float32 [count, width], little-endian, in base64. */
  readonly queries: string;
  readonly count: number;
  /** Rows per query. */
  readonly top: number;
  /**
   * Whole queries one by one, or the scan of each alone: the seconds are those of the fastest, the one least disturbed by
   * other load. Or one scan for all.
   */
  readonly what: "query" | "scan" | "batch";
}

export interface TextRequest {
  readonly kind: "text";
  readonly rows: readonly (readonly number[])[];
  /** Texts per batch. */
  readonly batchSize: number;
  /** The length that participants without dynamic padding pad to. */
  readonly padTo: number;
}

export interface Hello {
  readonly name: string;
  readonly version: string;
  /** The kinds of request that it answers. */
  readonly kinds: readonly Request["kind"][];
}

export interface Reply {
  readonly seconds: number;
  /** For "image" and "text": float32 [rows, width], little-endian, in base64. */
  readonly embedding?: string;
  /** For "search": the rows found, best first. */
  readonly ids?: readonly (readonly number[])[];
  /** For "memory": bytes. */
  readonly peak?: number;
  /** For "load": seconds to read the bytes. */
  readonly reading?: number;
}

/** The rows of an embedding. */
export function rowsOf({ embedding }: Reply, count: number): Float32Array[] {
  if (embedding === undefined) throw new Error("a participant answered without an embedding");
  return decodeRows(embedding, count);
}

/** @param base64 float32 [count, width], little-endian */
export function decodeRows(base64: string, count: number): Float32Array[] {
  const bytes = Buffer.from(base64, "base64");
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  const width = values.length / count;
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

export function encodeEmbedding(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}
