/** The tensors of a file in fixtures/condition. */
import { FileSource } from "../../lib/node/files/file-source.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32, readIntegers } from "../../lib/tensor/store.ts";
import { fixture } from "./paths.ts";

export interface ConditionGolden {
  readonly names: readonly string[];
  shape(name: string): readonly number[];
  floats(name: string): Promise<Float32Array>;
  bytes(name: string): Promise<Uint8Array>;
  /** Of an integer matrix. */
  rows(name: string): Promise<number[][]>;
  close(): Promise<void>;
}

export async function conditionGolden(name: "golden" | "full" = "golden"): Promise<ConditionGolden> {
  const path = fixture(`condition/${name}.safetensors`);
  const file = await SafetensorsFile.open(await FileSource.open(path));
  const shape = (name: string): readonly number[] => file.tensors.get(name)!.shape;
  return {
    names: [...file.tensors.keys()],
    shape,
    floats: (name) => readFloat32(file, name),
    bytes: (name) => file.read(name),
    async rows(name) {
      const values = await readIntegers(file, name);
      const [count = 0, length = 0] = shape(name);
      return Array.from({ length: count }, (_, r) =>
        [...values.slice(r * length, (r + 1) * length)].map(Number),
      );
    },
    close: () => file.close(),
  };
}
