/**
 * Writes what `torch.load` reads: objects in `archive/data.pkl`, and each tensor's bytes in `archive/data/KEY`.
 *
 * Source: torch/serialization.py (_save), caffe2/serialize/inline_container.cc.
 */
import type { Crc32 } from "../tensor/crc32.ts";
import { elementCount } from "../tensor/dtype.ts";
import { pickle, type PickledTensor, type PythonValue } from "./pickle-writer.ts";
import { zipParts, type NewMember } from "./zip-writer.ts";

/** A float32 tensor whose numbers are read when they are written. */
export class NewTensor {
  readonly shape: readonly number[];
  /** The numbers in row-major order, in pieces. */
  readonly read: () => AsyncIterable<Float32Array> | Iterable<Float32Array>;

  constructor(shape: readonly number[], read: NewTensor["read"]) {
    this.shape = shape;
    this.read = read;
  }
}

/** What a file holds. */
export type TorchValue = PythonValue<NewTensor>;

/** The bytes of a file, in pieces. Tensors are read one after another, as they are written. */
export function torchFileParts(root: TorchValue, crc32: Crc32): AsyncGenerator<Uint8Array, void, undefined> {
  const tensors = new Map<NewTensor, PickledTensor>();
  const data = pickle(root, (value) => {
    if (!(value instanceof NewTensor)) return undefined;
    const known = tensors.get(value);
    const elements = elementCount(value.shape);
    const stored = known ?? { key: `${tensors.size}`, shape: value.shape, elements };
    tensors.set(value, stored);
    return stored;
  });
  const text = (name: string, content: string): NewMember =>
    member(name, [new TextEncoder().encode(content)]);
  return zipParts(
    [
      member("data.pkl", [data]),
      text("byteorder", "little"),
      ...Array.from(tensors, ([tensor, { key, elements }]) => ({
        name: `archive/data/${key}`,
        size: 4 * elements,
        content: bytesOf(tensor),
      })),
      text("version", "3\n"),
    ],
    crc32,
  );
}

function member(name: string, content: readonly Uint8Array[]): NewMember {
  return { name: `archive/${name}`, size: content.reduce((sum, { length }) => sum + length, 0), content };
}

async function* bytesOf(tensor: NewTensor): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { buffer, byteOffset, byteLength } of tensor.read()) {
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}
