/**
 * What a participant, a process of its own, is asked and answers: one JSON line each.
 *
 * It first says who it is (`Hello`). Pixels are those of `syntheticValues("input.image")`, which Python makes too.
 */

export type Request =
  | { readonly kind: "matrix"; readonly size: number }
  | { readonly kind: "image"; readonly batch: number }
  | TextRequest
  /** Peak memory of the process until now. */
  | { readonly kind: "memory" }
  /** Loads all weights of the image tower, and reads their bytes alone. */
  | { readonly kind: "load" }
  /** Prepares an image file so many times. */
  | { readonly kind: "preprocess"; readonly path: string; readonly count: number };

export interface TextRequest {
  readonly kind: "text";
  readonly rows: readonly (readonly number[])[];
  /** Texts that run together. */
  readonly batchSize: number;
  /** Tokens to which those pad who pad. */
  readonly padTo: number;
}

export interface Hello {
  readonly name: string;
  readonly version: string;
  /** The requests that it answers. */
  readonly kinds: readonly Request["kind"][];
}

export interface Reply {
  readonly seconds: number;
  /** Of "image" and "text": float32 [rows, width], little-endian, in base64. */
  readonly embedding?: string;
  /** Of "memory": bytes. */
  readonly peak?: number;
  /** Of "load": seconds for the bytes alone. */
  readonly reading?: number;
}

/** The rows of an embedding. */
export function rowsOf({ embedding }: Reply, count: number): Float32Array[] {
  if (embedding === undefined) throw new Error("a participant answered without an embedding");
  const bytes = Buffer.from(embedding, "base64");
  const values = new Float32Array(new Uint8Array(bytes).buffer);
  const width = values.length / count;
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

export function encodeEmbedding(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}
