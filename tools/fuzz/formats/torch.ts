/** Opens a PyTorch file and reads its tensors. */
import { openTorchCheckpoint } from "../../../lib/checkpoint/index.ts";
import { MemoryFile } from "../memory-file.ts";

/** Hostile files may describe many tensors of the same storage, which is legal; reading some of them is enough. */
const mostTensors = 20;
const mostBytes = 1 << 20;

export async function readTorch(input: Uint8Array): Promise<string> {
  const source = new MemoryFile(input, "model.pt");
  const { store, format, skipped } = await openTorchCheckpoint(source).catch((error: unknown) => {
    source.assertClosed();
    throw error;
  });
  for (const [name, { size }] of [...store.tensors].slice(0, mostTensors)) {
    const bytes = await store.read(name, 0, Math.min(size, mostBytes));
    if (bytes.length !== Math.min(size, mostBytes)) throw new Error(`${bytes.length} bytes of ${size}`);
  }
  return `${format}, ${Math.min(store.tensors.size, 3)} tensors${skipped.length > 0 ? ", some skipped" : ""}`;
}
