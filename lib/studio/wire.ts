/**
 * Questions and answers as JSON, for the way between a page and a server.
 *
 * JSON lacks typed arrays and numbers that are not finite. Both are written as an object with the one key `$array` or
 * `$number`: `{"$array": ["Float32Array", "AACAPw=="]}`, in base64, little-endian; `{"$number": "NaN"}`. Base64 makes values
 * a third longer than a binary frame would; in return each line can be read by people and by any client.
 */
import { InputError } from "../errors/input-error.ts";

/** The longest question, in bytes: an image of 24 MB. */
export const largestQuestion = 32 * 2 ** 20;

const arrays = { Uint8Array, Uint8ClampedArray, Float32Array, Float64Array, Int32Array } as const;
type ArrayName = keyof typeof arrays;
const names = Object.keys(arrays) as ArrayName[];
type Numbers = InstanceType<(typeof arrays)[ArrayName]>;

/** One line of JSON. @throws TypeError for other views than typed arrays of these kinds */
export function encodeWire(value: unknown): string {
  return JSON.stringify(value, function (this: Record<string, unknown>, key, given: unknown) {
    if (typeof given === "number" && !Number.isFinite(given)) return { $number: String(given) };
    // `given` is what toJSON returned, which a Buffer has.
    const inner = this[key];
    return ArrayBuffer.isView(inner) ? { $array: [nameOf(inner), toBase64(inner)] } : given;
  });
}

function nameOf(view: ArrayBufferView): ArrayName {
  const name = names.find((one) => view instanceof arrays[one]);
  if (name === undefined) throw new TypeError(`expected one of ${names.join(", ")}`);
  return name;
}

/** @throws InputError for text that `encodeWire` does not write */
export function decodeWire(text: string): unknown {
  try {
    return JSON.parse(text, (_, inner: unknown) => {
      if (typeof inner !== "object" || inner === null) return inner;
      if ("$number" in inner) return Number(inner.$number);
      return "$array" in inner ? toArray(inner.$array) : inner;
    });
  } catch (error) {
    throw error instanceof InputError ? error : new InputError("not valid JSON", [], { cause: error });
  }
}

function toArray(parts: unknown): Numbers {
  const [name, base64] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (typeof name !== "string" || !Object.hasOwn(arrays, name) || typeof base64 !== "string") {
    throw new InputError(`$array: expected one of ${names.join(", ")}, and base64`);
  }
  const bytes = fromBase64(base64);
  const View = arrays[name as ArrayName];
  if (bytes.length % View.BYTES_PER_ELEMENT !== 0) {
    throw new InputError(
      `$array: expected a multiple of ${View.BYTES_PER_ELEMENT} bytes, found ${bytes.length}`,
    );
  }
  return new View(bytes.buffer);
}

/** Characters that one call of `fromCharCode` takes at once. */
const chunk = 0x8000;

function toBase64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let binary = "";
  for (let at = 0; at < bytes.length; at += chunk) {
    binary += String.fromCharCode(...bytes.subarray(at, at + chunk));
  }
  return btoa(binary);
}

function fromBase64(base64: string): Uint8Array<ArrayBuffer> {
  let binary: string;
  try {
    binary = atob(base64);
  } catch (error) {
    throw new InputError("$array: not valid base64", [], { cause: error });
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
