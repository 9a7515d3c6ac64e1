/**
 * Arrays of structures in MATLAB's files of version 5 (`.mat`), such as ImageNet's `meta.mat`.
 *
 * A file is a header of 128 bytes and elements: a type, a number of bytes, and the data, padded to 8 bytes. Elements of up
 * to 4 bytes have a short form. An array is an element that holds elements: its class, dimensions, name and content.
 *
 * Source: MathWorks, "MAT-File Format", 2019; scipy/io/matlab/_mio5.py.
 */
import { InputError } from "../errors/input-error.ts";
import { inflate } from "./inflate.ts";

/** A field of a structure: a text or numbers; null for other classes. */
export type MatlabValue = string | readonly number[] | null;

/** A structure by the names of its fields. */
export type MatlabStruct = Readonly<Record<string, MatlabValue>>;

const compressed = 15;
const matrix = 14;
const structClass = 2;
const charClass = 4;
const headerSize = 128;

/** Of compressed variables, in bytes once they are inflated. */
const largestVariable = 2 ** 26;

type Reader = (view: DataView, at: number) => number;

/** By the type of an element. Texts are numbers too: their code units. */
const numbers: Readonly<Record<number, readonly [bytes: number, read: Reader]>> = {
  1: [1, (view, at) => view.getInt8(at)],
  2: [1, (view, at) => view.getUint8(at)],
  3: [2, (view, at) => view.getInt16(at, true)],
  4: [2, (view, at) => view.getUint16(at, true)],
  5: [4, (view, at) => view.getInt32(at, true)],
  6: [4, (view, at) => view.getUint32(at, true)],
  7: [4, (view, at) => view.getFloat32(at, true)],
  9: [8, (view, at) => view.getFloat64(at, true)],
  12: [8, (view, at) => Number(view.getBigInt64(at, true))],
  13: [8, (view, at) => Number(view.getBigUint64(at, true))],
  16: [1, (view, at) => view.getUint8(at)],
  17: [2, (view, at) => view.getUint16(at, true)],
};

interface Element {
  readonly type: number;
  readonly data: DataView;
}

/**
 * Reads a variable that is an array of structures.
 *
 * @param where the file, for errors
 * @throws InputError if the file is not a little-endian `.mat` file of version 5, is damaged, or lacks the variable
 */
export async function readMatlabStructs(
  bytes: Uint8Array,
  variable: string,
  where: string,
): Promise<MatlabStruct[]> {
  const bad = (found: string): InputError =>
    new InputError(
      `${where}: expected a MATLAB file of version 5 with the variable ${variable}, found ${found}; download it again`,
    );
  if (bytes.length < headerSize || String.fromCharCode(bytes[126]!, bytes[127]!) !== "IM") {
    throw bad("something else");
  }
  try {
    for (const element of elementsOf(viewOf(bytes.subarray(headerSize)))) {
      const [array] =
        element.type === compressed
          ? elementsOf(viewOf(await inflate(bytesOf(element.data), "deflate", largestVariable)))
          : [element];
      if (array?.type !== matrix) continue;
      const parts = [...elementsOf(array.data)];
      if (textOf(parts[2]!) !== variable) continue;
      if (classOf(parts) !== structClass) throw bad(`an array of the class ${classOf(parts)}`);
      return structsOf(parts);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw bad("damaged data");
  }
  throw bad("other variables");
}

function* elementsOf(view: DataView): Generator<Element, void, undefined> {
  for (let at = 0; at + 8 <= view.byteLength;) {
    const tag = view.getUint32(at, true);
    const isShort = tag >>> 16 !== 0;
    const type = isShort ? tag & 0xffff : tag;
    const size = isShort ? tag >>> 16 : view.getUint32(at + 4, true);
    const start = at + (isShort ? 4 : 8);
    yield { type, data: new DataView(view.buffer, view.byteOffset + start, size) };
    // Compressed elements are not padded.
    at = isShort ? at + 8 : start + (type === compressed ? size : Math.ceil(size / 8) * 8);
  }
}

/** The parts of an array are its flags, dimensions and name; then of structures the length and list of the names of fields. */
function structsOf(parts: readonly Element[]): MatlabStruct[] {
  const [, dimensions, , nameLength, names, ...values] = parts;
  const [longest] = numbersOf(nameLength!);
  const list = textOf(names!);
  const fields = Array.from({ length: list.length / longest! }, (_, i) =>
    list.slice(i * longest!, (i + 1) * longest!).replace(/\0.*$/s, ""),
  );
  const count = numbersOf(dimensions!).reduce((product, length) => product * length, 1);
  if (values.length !== count * fields.length) throw new RangeError("fields are missing");
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(fields.map((field, f) => [field, valueOf(values[i * fields.length + f]!)])),
  );
}

function valueOf({ data }: Element): MatlabValue {
  const parts = [...elementsOf(data)];
  const content = parts[3];
  const found = parts.length === 0 ? 0 : classOf(parts);
  if (found === charClass) return content === undefined ? "" : textOf(content);
  // Classes 6 to 15 are numbers.
  return found >= 6 && found <= 15 ? (content === undefined ? [] : numbersOf(content)) : null;
}

function classOf(parts: readonly Element[]): number {
  return parts[0]!.data.getUint8(0);
}

function numbersOf({ type, data }: Element): number[] {
  const [size, read] = numbers[type] ?? [];
  if (size === undefined || read === undefined) throw new RangeError(`no numbers: type ${type}`);
  return Array.from({ length: data.byteLength / size }, (_, i) => read(data, i * size));
}

function textOf(element: Element): string {
  if (element.type === 16) return new TextDecoder().decode(bytesOf(element.data));
  return String.fromCharCode(...numbersOf(element).map((unit) => unit & 0xffff));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
