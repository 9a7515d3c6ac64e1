/** A trace as the bytes of a safetensors file, without writing one: as `clipscope trace --out` would, read by range. */
import { bytesPerElement, elementCount, type Dtype } from "../tensor/dtype.ts";
import { encodeHeader } from "../tensor/safetensors.ts";
import type { TapInfo, TraceSource } from "./trace-source.ts";

/** Values that are read at once. */
const mostValues = 2 ** 18;

interface Entry extends TapInfo {
  readonly dtype: Dtype & ("F32" | "I64");
  /** In bytes. */
  readonly start: number;
  readonly end: number;
}

export class TraceDocument {
  /** In bytes. */
  readonly size: number;
  readonly #trace: TraceSource;
  readonly #header: Uint8Array;
  readonly #entries: readonly Entry[];

  constructor(trace: TraceSource, metadata: Readonly<Record<string, string>>) {
    this.#trace = trace;
    // Token ids are integers in goldens and traces.
    const tensors = trace.taps.map(({ name, shape }) => ({
      name,
      shape,
      dtype: name === "input.text" ? ("I64" as const) : ("F32" as const),
    }));
    this.#header = encodeHeader(tensors, metadata);
    let end = this.#header.length;
    this.#entries = tensors.map((tensor) => ({
      ...tensor,
      start: end,
      end: (end += elementCount(tensor.shape) * bytesPerElement[tensor.dtype]),
    }));
    this.size = end;
  }

  /** The bytes from `first` up to and with `last`, in pieces. */
  async *bytes(first: number, last: number): AsyncGenerator<Uint8Array, void, undefined> {
    if (first < this.#header.length) yield this.#header.subarray(first, last + 1);
    for (const entry of this.#entries) {
      const from = Math.max(first, entry.start);
      const to = Math.min(last + 1, entry.end);
      if (from < to) yield* this.#bytesOf(entry, from - entry.start, to - entry.start);
    }
  }

  /** @param from in bytes of the tensor @param to the end, not included */
  async *#bytesOf(
    { name, dtype }: Entry,
    from: number,
    to: number,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const width = bytesPerElement[dtype];
    const last = Math.ceil(to / width);
    for (let at = Math.floor(from / width); at < last; at += mostValues) {
      const values = await this.#trace.read(name, at, Math.min(mostValues, last - at));
      const numbers = dtype === "I64" ? BigInt64Array.from(values, BigInt) : values;
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      yield bytes.subarray(Math.max(0, from - at * width), Math.min(bytes.length, to - at * width));
    }
  }
}
