/** safetensors files: opened, and all tensors read. */
import { SafetensorsFile, encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { bytesPerElement, type Dtype } from "../../../lib/tensor/dtype.ts";
import { readFloat32, readIntegers } from "../../../lib/tensor/store.ts";
import { safetensorsMutations } from "../formats/safetensors.ts";
import { MemoryFile } from "../memory-file.ts";
import type { CreateTarget } from "../target.ts";

export const create: CreateTarget = () => ({
  seeds: [
    encodeSafetensors([]),
    encodeSafetensors([{ name: "a", dtype: "F32", shape: [2, 3], bytes: new Uint8Array(24) }], {
      key: "value",
    }),
    encodeSafetensors(
      (Object.keys(bytesPerElement) as Dtype[]).map((dtype) => ({
        name: dtype,
        dtype,
        shape: [2],
        bytes: new Uint8Array(2 * bytesPerElement[dtype]),
      })),
    ),
  ],
  mutations: safetensorsMutations,
  async run(input) {
    const source = new MemoryFile(input, "file.safetensors");
    const file = await SafetensorsFile.open(source).catch((error: unknown) => {
      source.assertClosed();
      throw error;
    });
    for (const [name, { dtype, size }] of file.tensors) {
      const bytes = await file.read(name);
      if (bytes.length !== size) throw new Error(`${bytes.length} bytes instead of ${size}`);
      if (/^(F64|F32|F16|BF16)$/.test(dtype)) await readFloat32(file, name);
      else if (/^I(64|32)$/.test(dtype)) await readIntegers(file, name);
    }
    return `${Math.min(file.tensors.size, 3)} tensors`;
  },
  maxSize: 4096,
});
