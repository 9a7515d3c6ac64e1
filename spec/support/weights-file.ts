import { encodeSafetensors, SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { ModelWeights } from "../../lib/tensor/model-weights.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import { MemorySource } from "./memory-source.ts";

/** A weights file in memory. Element i of the F32 tensors is i; element i of words.weight is 1 + i / 1024, in F16. */
export async function openWeightsFile(
  residency: Residency = "resident",
): Promise<{ weights: ModelWeights; source: MemorySource }> {
  const f32 = (length: number): Uint8Array =>
    new Uint8Array(Float32Array.from({ length }, (_, i) => i).buffer);
  const source = new MemorySource(
    encodeSafetensors([
      { name: "block.fc.weight", dtype: "F32", shape: [2, 3], bytes: f32(6) },
      { name: "block.fc.bias", dtype: "F32", shape: [2], bytes: f32(2) },
      { name: "conv.weight", dtype: "F32", shape: [2, 3, 1, 2], bytes: f32(12) },
      {
        name: "words.weight",
        dtype: "F16",
        shape: [8, 2],
        bytes: new Uint8Array(Uint16Array.from({ length: 16 }, (_, i) => 0x3c00 + i).buffer),
      },
    ]),
  );
  return { weights: new ModelWeights(await SafetensorsFile.open(source), residency), source };
}
