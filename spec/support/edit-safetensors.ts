import { FileSource } from "../../lib/node/files/file-source.ts";
import { encodeSafetensors, SafetensorsFile, type TensorSpec } from "../../lib/tensor/safetensors.ts";

export interface StoredTensor extends Omit<TensorSpec, "name"> {
  /** In a separate buffer. */
  readonly bytes: Uint8Array;
}

/** The bytes of a safetensors file after a change. */
export async function editSafetensors(
  path: string,
  change: (tensors: Map<string, StoredTensor>, metadata: Map<string, string>) => void,
): Promise<Uint8Array> {
  const file = await SafetensorsFile.open(await FileSource.open(path));
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape }] of file.tensors) {
    tensors.set(name, { dtype, shape, bytes: await file.read(name) });
  }
  await file.close();
  const metadata = new Map(Object.entries(file.metadata));
  change(tensors, metadata);
  return encodeSafetensors(
    Array.from(tensors, ([name, tensor]) => ({ name, ...tensor })),
    Object.fromEntries(metadata),
  );
}
