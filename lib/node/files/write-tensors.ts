/** Writes safetensors files piece by piece, whole or not at all. */
import { bytesPerElement } from "../../tensor/dtype.ts";
import { encodeHeader, type TensorSpec } from "../../tensor/safetensors.ts";
import { tensorInfo, type TensorStore } from "../../tensor/store.ts";
import type { Output } from "./reserve-output.ts";
import { writeTogether } from "./write-file.ts";

/** A tensor whose bytes arrive in pieces. */
export interface TensorInPieces extends TensorSpec {
  readonly pieces: () => AsyncIterable<Uint8Array>;
}

/** @throws InputError if the disk is full, or fails; a previous file stays then */
export async function writeTensors(
  output: Output,
  tensors: readonly TensorInPieces[],
  metadata: Readonly<Record<string, string>>,
  onBytes: (count: number) => void = () => undefined,
): Promise<void> {
  const sorted = [...tensors].sort((a, b) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype]);
  await writeTogether([output], async ([file]) => {
    await file!.write(encodeHeader(sorted, metadata));
    for (const { pieces } of sorted) {
      for await (const piece of pieces()) {
        await file!.write(piece);
        onBytes(piece.length);
      }
    }
  });
}

/** Bytes of one read: a multiple of every element's size. */
const pieceSize = 4 * 2 ** 20;

/** All tensors of a store. */
export function tensorsOf(store: TensorStore): TensorInPieces[] {
  return [...store.tensors.keys()].map((name) => {
    const { dtype, shape, size } = tensorInfo(store, name);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < size; at += pieceSize) {
        yield await store.read(name, at, Math.min(pieceSize, size - at));
      }
    };
    return { name, dtype, shape, pieces };
  });
}
