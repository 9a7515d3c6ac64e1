import type { TensorInfo } from "../../lib/tensor/store.ts";

/** The numbers of an F64 tensor. */
export function toFloat64({ dtype }: TensorInfo, bytes: Uint8Array): Float64Array {
  if (dtype !== "F64") throw new Error(`expected F64, found ${dtype}`);
  return new Float64Array(bytes.slice().buffer);
}
