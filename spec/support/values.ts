import type { Tensor } from "@tensorflow/tfjs-core";

/** Reads a tensor and disposes it. */
export async function valuesOf(result: Promise<Tensor>): Promise<Float32Array> {
  const tensor = await result;
  const values = await tensor.data<"float32">();
  tensor.dispose();
  return values.slice();
}
