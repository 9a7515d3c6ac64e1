/** Writes an array of structures as a MATLAB file of version 5 with one compressed variable. */
import { deflateSync } from "node:zlib";

/** A field: a number, or a text. */
export type MatField = number | string;

/** A column of structures, which all have the same fields. Source: MathWorks, "MAT-File Format", 2019. */
export function encodeMat(
  variable: string,
  structs: readonly Readonly<Record<string, MatField>>[],
): Uint8Array {
  const names = Object.keys(structs[0]!);
  const longest = 32;
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file");
  header.writeUInt16LE(0x0100, 124);
  header.write("IM", 126);
  const content = array(2, [structs.length, 1], variable, [
    element(5, int32(longest)),
    element(1, Buffer.concat(names.map((name) => Buffer.from(name.padEnd(longest, "\0"))))),
    ...structs.flatMap((struct) => names.map((name) => field(struct[name]!))),
  ]);
  // Not compressed further: other versions of zlib would write other bytes.
  const variables = deflateSync(content, { level: 0 });
  return Buffer.concat([header, tag(15, variables.length), variables]);
}

function field(value: MatField): Buffer {
  return typeof value === "number"
    ? array(6, [1, 1], "", [element(9, float64(value))])
    : array(4, [1, value.length], "", [element(4, utf16(value))]);
}

/** An array: flags with its class, dimensions, name, content. */
function array(
  kind: number,
  dimensions: readonly number[],
  name: string,
  content: readonly Buffer[],
): Buffer {
  const parts = Buffer.concat([
    element(6, Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0])),
    element(5, Buffer.concat(dimensions.map(int32))),
    element(1, Buffer.from(name)),
    ...content,
  ]);
  return Buffer.concat([tag(14, parts.length), parts]);
}

function element(type: number, data: Buffer): Buffer {
  return Buffer.concat([tag(type, data.length), data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

function tag(type: number, size: number): Buffer {
  return Buffer.concat([int32(type), int32(size)]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

function utf16(text: string): Buffer {
  return Buffer.from(text, "utf16le");
}
