import { ImageBytes, ImageFormatError, UnsupportedImageError } from "./bytes.ts";

/** Bytes of each TIFF field type, by its number. */
const typeBytes: Readonly<Record<number, number>> = {
  1: 1,
  2: 1,
  3: 2,
  4: 4,
  6: 1,
  7: 1,
  8: 2,
  9: 4,
  13: 4,
};
const shortTypes = [3, 8];
const longTypes = [4, 9, 13];

/** A tag's values. They are read one by one, because a tag may have as many as the file has bytes. */
export interface TagValues {
  readonly length: number;
  at(index: number): number;
}

/** Access to the tags of a TIFF directory whose values are integers. */
export interface Directory {
  readonly littleEndian: boolean;
  /** The values of a tag; undefined if the tag is missing. */
  values(tag: number): TagValues | undefined;
  /** The first values of a tag, at most `most`; undefined if the tag is missing. */
  numbers(tag: number, most: number): readonly number[] | undefined;
  /** The first value of a tag. Throws ImageFormatError if the tag is missing and no fallback is given. */
  number(tag: number, fallback?: number): number;
  /** The bytes of a tag; undefined if the tag is missing. */
  bytes(tag: number): Uint8Array | undefined;
}

/**
 * Reads the first directory of a TIFF file, or of an Exif block, which has the same structure.
 *
 * @throws ImageFormatError
 * Source: Adobe, TIFF 6.0, section 2
 */
export function readDirectory(file: ImageBytes): Directory {
  const littleEndian = file.ascii(0, 2) === "II";
  const magic = file.u16(2, littleEndian);
  if (magic === 43) throw new UnsupportedImageError("BigTIFF");
  if (magic !== 42) throw new ImageFormatError("no TIFF header");
  const start = file.u32(4, littleEndian);
  const entries = new Map<number, { type: number; count: number; at: number }>();
  for (let i = 0, count = file.u16(start, littleEndian); i < count; i++) {
    const at = start + 2 + i * 12;
    const type = file.u16(at + 2, littleEndian);
    const values = file.u32(at + 4, littleEndian);
    const size = typeBytes[type];
    if (size === undefined) continue;
    const inside = size * values <= 4;
    entries.set(file.u16(at, littleEndian), {
      type,
      count: values,
      at: inside ? at + 8 : file.u32(at + 8, littleEndian),
    });
  }

  const values = (tag: number): TagValues | undefined => {
    const entry = entries.get(tag);
    if (entry === undefined) return undefined;
    const { type, count, at } = entry;
    const size = typeBytes[type] ?? 1;
    file.slice(at, size * count);
    return {
      length: count,
      at: (i) => {
        if (shortTypes.includes(type)) return file.u16(at + i * size, littleEndian);
        return longTypes.includes(type) ? file.u32(at + i * size, littleEndian) : file.u8(at + i * size);
      },
    };
  };
  const numbers = (tag: number, most: number): readonly number[] | undefined => {
    const all = values(tag);
    return all && Array.from({ length: Math.min(all.length, most) }, (_, i) => all.at(i));
  };
  return {
    littleEndian,
    values,
    numbers,
    number: (tag, fallback) => {
      const value = numbers(tag, 1)?.[0] ?? fallback;
      if (value === undefined) throw new ImageFormatError(`no TIFF tag ${tag}`);
      return value;
    },
    bytes: (tag) => {
      const entry = entries.get(tag);
      return entry && file.slice(entry.at, entry.count * (typeBytes[entry.type] ?? 1));
    },
  };
}
