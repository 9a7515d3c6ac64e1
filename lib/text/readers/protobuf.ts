/**
 * As much of protocol buffers' wire format as a SentencePiece model needs.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */
import { InputError } from "../../errors/input-error.ts";

export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** One field of a message: its number, its wire type, and where its value is. */
export interface Field {
  readonly number: number;
  readonly wireType: number;
  /** the value of a varint (its lower 53 bits are exact; more do not occur) */
  readonly value: number;
  /** first byte of the payload in the file, and the one behind it */
  readonly start: number;
  readonly end: number;
}

/** Walks over a message's fields; every length is held against the message's end before it is used. */
export class MessageReader {
  readonly #file: string;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  /** @param file name for errors */
  constructor(file: string, bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#file = file;
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
  }

  /**
   * The next field, or undefined at the end of the message.
   *
   * @throws InputError where the message is cut off or is no protocol buffer
   */
  next(): Field | undefined {
    if (this.#position >= this.#end) return undefined;
    const at = this.#position;
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (number === 0) throw this.#error(at, "a field number from 1 on", "0");
    let start = this.#position;
    let value = 0;
    switch (wireType) {
      case WireType.varint:
        value = this.#varint();
        break;
      case WireType.fixed64:
        this.#position += 8;
        break;
      case WireType.fixed32:
        this.#position += 4;
        break;
      case WireType.bytes: {
        const length = this.#varint();
        start = this.#position;
        this.#position += length;
        break;
      }
      default:
        throw this.#error(at, "wire type 0, 1, 2 or 5", String(wireType));
    }
    if (this.#position > this.#end) {
      throw this.#error(at, `field ${number} to end by byte ${this.#end}`, `an end at ${this.#position}`);
    }
    return { number, wireType, value, start, end: this.#position };
  }

  #varint(): number {
    const at = this.#position;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      const byte = this.#position < this.#end ? this.#bytes[this.#position] : undefined;
      if (byte === undefined) throw this.#error(at, "a whole number", "the end of the message");
      this.#position++;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return value;
    }
    throw this.#error(at, "a number of at most 10 bytes", "more");
  }

  #error(at: number, expected: string, found: string): InputError {
    return new InputError(
      `${this.#file}: expected ${expected} at byte ${at}, found ${found}; ` +
        `the file is damaged or no SentencePiece model, download it again`,
    );
  }
}
