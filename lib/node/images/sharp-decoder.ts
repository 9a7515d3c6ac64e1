/**
 * JPEG and WebP with the package sharp, if the user has installed it: libjpeg-turbo and libwebp with SIMD.
 *
 * sharp's builds bring decoders of other versions than Pillow's, so each format is used only if a probe decodes to
 * Pillow's pixels. Nothing but decoding is asked of it: no colour profile, no orientation, no resize.
 */
import type { CodecImage } from "../../image/formats/format.ts";
import { crc32 } from "../files/crc32.ts";
import { decoderProbes } from "./decoder-probes.ts";

/** The part of sharp's API that is used here. */
interface Sharp {
  (bytes: Uint8Array, options: Readonly<Record<string, unknown>>): SharpImage;
  readonly versions: Readonly<Record<string, string>>;
}

interface SharpImage {
  ensureAlpha(): SharpImage;
  raw(): {
    toBuffer(options: { readonly resolveWithObject: true }): Promise<{
      readonly data: Uint8Array;
      readonly info: { readonly width: number; readonly height: number; readonly channels: number };
    }>;
  };
}

export type SharpFormat = "jpeg" | "webp";

/** What sharp may be used for in this process. */
export interface SharpDecoder {
  readonly version: string;
  /** The formats that it decodes to Pillow's pixels. */
  readonly exact: ReadonlySet<SharpFormat>;
  /** @throws any error if the file is damaged or beyond sharp's limits; the other decoders may still read it */
  readonly decode: Decode;
}

type Decode = (format: SharpFormat, bytes: Uint8Array) => Promise<CodecImage>;

let loading: Promise<SharpDecoder | undefined> | undefined;

/**
 * Loads sharp; once per thread.
 *
 * A process that decodes in worker threads must call this in its main thread first: libraries of a native package that
 * only threads have loaded are unloaded with them.
 *
 * @returns undefined if it is not installed or does not start here
 */
export function loadSharp(): Promise<SharpDecoder | undefined> {
  return (loading ??= load());
}

async function load(): Promise<SharpDecoder | undefined> {
  const name = "sharp"; // not a literal in the import: the package and its types may be absent
  let sharp: Sharp;
  try {
    ({ default: sharp } = (await import(name)) as { default: Sharp });
  } catch {
    return undefined;
  }
  const decode: Decode = (format, bytes) => decodeWith(sharp, format, bytes);
  const exact = await exactFormats(decode);
  return { version: sharp.versions["sharp"] ?? "of unknown version", exact, decode };
}

/** The formats whose probe decodes to Pillow's pixels. */
export async function exactFormats(decode: Decode): Promise<ReadonlySet<SharpFormat>> {
  const exact = new Set<SharpFormat>();
  for (const format of ["jpeg", "webp"] as const) {
    if (await isExact(decode, format)) exact.add(format);
  }
  return exact;
}

async function decodeWith(sharp: Sharp, format: SharpFormat, bytes: Uint8Array): Promise<CodecImage> {
  const image = sharp(bytes, { failOn: "warning", ignoreIcc: true });
  const samples = format === "webp" ? image.ensureAlpha() : image;
  const { data, info } = await samples.raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  if (channels !== 3 && channels !== 4) throw new Error(`${channels} channels`);
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length), stride: channels };
}

async function isExact(decode: Decode, format: SharpFormat): Promise<boolean> {
  const probe = decoderProbes[format];
  try {
    const { data, stride } = await decode(format, Buffer.from(probe.base64, "base64"));
    const rgb = stride === 3 ? data : data.filter((_, i) => i % 4 !== 3);
    return crc32(new Uint8Array(rgb)) === probe.crc32;
  } catch {
    return false;
  }
}
