/**
 * The image decoders under Node: zlib; for JPEG and WebP sharp if it is installed, else mozjpeg and libwebp as
 * WebAssembly (@jsquash/jpeg and @jsquash/webp). Both give the same pixels.
 *
 * The WebAssembly packages fetch their .wasm files, which fails for file URLs under Node. So the files are read and compiled here.
 * Each codec is loaded with the first image that needs it.
 */
import { readFile } from "node:fs/promises";
import { isMainThread } from "node:worker_threads";
import { promisify } from "node:util";
import { constants, inflate } from "node:zlib";
import type { ImageCodecs, Inflate, CodecImage } from "../../image/formats/format.ts";
import { loadSharp, type SharpDecoder, type SharpFormat } from "./sharp-decoder.ts";

const inflateAsync = promisify(inflate);

/** Extra output to accept, since zlib fails on output beyond its limit. */
const slack = 1 << 16;

const inflateAtMost: Inflate = async (bytes, size) => {
  // Z_SYNC_FLUSH: a truncated stream gives the part that it has.
  const options = { maxOutputLength: size + slack, finishFlush: constants.Z_SYNC_FLUSH };
  return inflateAsync(bytes, options);
};

/** A WASM heap never shrinks, so the codec is restarted after an image of more pixels than this. */
const mostPixelsKept = 1 << 25;

type Decode = (bytes: Uint8Array) => Promise<CodecImage>;

/** Like the browser's ImageData: RGBA. */
type RgbaImage = Omit<CodecImage, "stride">;

type Print = (line: string) => void;

interface WasmCodec {
  init(module: WebAssembly.Module, overrides: { print: Print; printErr: Print }): Promise<unknown>;
  decode(buffer: ArrayBuffer): Promise<RgbaImage>;
}

/** A codec that is compiled once, and restarted after a failure, which may leave its memory in any state. */
function wasmDecoder(wasmFile: string, load: () => Promise<WasmCodec>): Decode {
  let compiled: Promise<WebAssembly.Module> | undefined;
  let started: Promise<WasmCodec> | undefined;
  const messages: string[] = [];
  const start = async (): Promise<WasmCodec> => {
    compiled ??= readFile(new URL(import.meta.resolve(wasmFile))).then((bytes) => WebAssembly.compile(bytes));
    const [module, codec] = await Promise.all([compiled, load()]);
    provideImageData();
    // Keeps the messages of the codec off the terminal.
    const print: Print = (line) => messages.push(line);
    await codec.init(module, { print, printErr: print });
    return codec;
  };
  return async (bytes) => {
    started ??= start();
    const codec = await started;
    try {
      // A copy, because the codec reads the whole ArrayBuffer of a view.
      const { width, height, data } = await codec.decode(new Uint8Array(bytes).buffer);
      if (width * height > mostPixelsKept) started = undefined;
      return { width, height, data, stride: 4 };
    } catch (error) {
      started = undefined;
      throw new Error(messages[0] ?? "the decoder rejects it", { cause: error });
    } finally {
      messages.length = 0;
    }
  };
}

/** The codecs return the browser's ImageData, which Node lacks. */
function provideImageData(): void {
  if ("ImageData" in globalThis) return;
  class ImageData implements RgbaImage {
    readonly data: Uint8ClampedArray;
    readonly width: number;
    readonly height: number;
    constructor(data: Uint8ClampedArray, width: number, height: number) {
      this.data = data;
      this.width = width;
      this.height = height;
    }
  }
  Object.assign(globalThis, { ImageData });
}

const wasm: ImageCodecs = {
  inflate: inflateAtMost,
  jpeg: wasmDecoder("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm", async () => {
    const { default: decode, init } = await import("@jsquash/jpeg/decode.js");
    return { init, decode };
  }),
  webp: wasmDecoder("@jsquash/webp/codec/dec/webp_dec.wasm", async () => {
    const { default: decode, init } = await import("@jsquash/webp/decode.js");
    return { init, decode };
  }),
};

/** Loading sharp takes as long as it saves on about this many images. */
export const imagesThatPayForSharp = 250;

/** This thread's sharp, once it is wanted. */
let sharp: Promise<SharpDecoder | undefined> | undefined;

/** Makes this thread use sharp, if it is installed. In a worker thread, the main thread must have done so before. */
export function useSharp(): Promise<SharpDecoder | undefined> {
  return (sharp ??= loadSharp());
}

let decoded = 0;

function fastest(format: SharpFormat): Decode {
  return async (bytes) => {
    if (isMainThread && ++decoded > imagesThatPayForSharp) void useSharp();
    const decoder = await sharp;
    return decoder === undefined ? wasm[format](bytes) : withSharp(decoder)[format](bytes);
  };
}

const codecs: ImageCodecs = { inflate: inflateAtMost, jpeg: fastest("jpeg"), webp: fastest("webp") };

/** This thread's decoders for {@link decodeImage}. Each is loaded when it is first needed. */
export function nodeCodecs(): ImageCodecs {
  return codecs;
}

/** The decoders without sharp. */
export function wasmCodecs(): ImageCodecs {
  return wasm;
}

/** The decoders with sharp where it is exact. Files that it rejects go to the others, which say what is damaged. */
export function withSharp({ exact, decode }: SharpDecoder): ImageCodecs {
  const decoder =
    (format: SharpFormat): Decode =>
    (bytes) =>
      exact.has(format) ? decode(format, bytes).catch(() => wasm[format](bytes)) : wasm[format](bytes);
  return { inflate: inflateAtMost, jpeg: decoder("jpeg"), webp: decoder("webp") };
}
