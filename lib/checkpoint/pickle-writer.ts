/**
 * Writes pickles of protocol 2, with the values that a PyTorch checkpoint holds.
 *
 * Source: CPython, Lib/pickletools.py; torch/serialization.py (persistent_id), torch/_utils.py (_rebuild_tensor_v2).
 */
import { Tuple } from "./pickle.ts";

/** A number that is a float in Python, also if it is whole. Other whole numbers are ints. */
export class PythonFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A float32 tensor in row-major order, whose bytes are in the file under `key`. */
export interface PickledTensor {
  readonly key: string;
  readonly shape: readonly number[];
  readonly elements: number;
}

/** A value that the pickle holds; `T` stands for tensors. */
export type PythonValue<T> =
  | null
  | boolean
  | number
  | string
  | PythonFloat
  | Tuple
  | T
  | PythonValue<T>[]
  | Map<string | number, PythonValue<T>>;

/** @param tensorOf how a tensor among the values is stored; undefined for other values */
export function pickle<T extends object>(
  value: PythonValue<T>,
  tensorOf: (value: object) => PickledTensor | undefined,
): Uint8Array {
  const writer = new PickleWriter(tensorOf);
  writer.write(value);
  return writer.end();
}

class PickleWriter {
  readonly #tensorOf: (value: object) => PickledTensor | undefined;
  #bytes = new Uint8Array(1 << 16);
  #length = 0;

  constructor(tensorOf: (value: object) => PickledTensor | undefined) {
    this.#tensorOf = tensorOf;
    this.#put(0x80, 2); // PROTO
  }

  end(): Uint8Array {
    this.#text(".");
    return this.#bytes.subarray(0, this.#length);
  }

  write(value: unknown): void {
    if (value === null) this.#text("N");
    else if (typeof value === "boolean") this.#put(value ? 0x88 : 0x89);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "string") this.#string(value);
    else if (value instanceof PythonFloat) this.#float(value.value);
    else if (value instanceof Tuple) this.#tuple(value.items);
    else if (Array.isArray(value)) this.#collection("]", value, "e");
    else if (value instanceof Map) this.#collection("}", [...value].flat(1), "u");
    else this.#tensor(this.#tensorOf(value as object)!);
  }

  /** An empty list or dictionary, and its items between a mark and the opcode that adds them. */
  #collection(empty: string, items: readonly unknown[], add: string): void {
    this.#text(`${empty}(`);
    for (const item of items) this.write(item);
    this.#text(add);
  }

  #tuple(items: readonly unknown[]): void {
    this.#text("(");
    for (const item of items) this.write(item);
    this.#text("t");
  }

  #number(value: number): void {
    if (!Number.isInteger(value)) {
      this.#float(value);
    } else if (value >= -(2 ** 31) && value < 2 ** 31) {
      this.#text("J");
      this.#view(4).setInt32(0, value, true);
    } else {
      this.#put(0x8a, 8); // LONG1
      this.#view(8).setBigInt64(0, BigInt(value), true);
    }
  }

  #float(value: number): void {
    this.#text("G");
    this.#view(8).setFloat64(0, value, false);
  }

  #string(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.#text("X");
    this.#view(4).setUint32(0, bytes.length, true);
    this.#put(...bytes);
  }

  /** `_rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks)` */
  #tensor({ key, shape, elements }: PickledTensor): void {
    const strides = shape.map((_, axis) =>
      shape.slice(axis + 1).reduce((product, size) => product * size, 1),
    );
    this.#text("ctorch._utils\n_rebuild_tensor_v2\n((");
    this.#string("storage");
    this.#text("ctorch\nFloatStorage\n");
    for (const part of [key, "cpu", elements]) this.write(part);
    this.#text("tQ");
    for (const part of [0, new Tuple(shape), new Tuple(strides), false]) this.write(part);
    this.#text("ccollections\nOrderedDict\n)RtR");
  }

  #text(text: string): void {
    this.#put(...new TextEncoder().encode(text));
  }

  #put(...bytes: readonly number[]): void {
    const view = this.#view(bytes.length);
    for (const [i, byte] of bytes.entries()) view.setUint8(i, byte);
  }

  /** The next bytes, to write to. */
  #view(length: number): DataView {
    if (this.#length + length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#length + length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#length += length;
    return new DataView(this.#bytes.buffer, this.#length - length, length);
  }
}
