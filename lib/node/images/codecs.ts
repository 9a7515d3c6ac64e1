/**
 * The image decoders under Node: zlib, and mozjpeg and libwebp as WebAssembly (@jsquash/jpeg and @jsquash/webp).
 *
 * These packages fetch their .wasm files, which fails for file URLs under Node. So the files are read and compiled here.
 * Each codec is loaded with the first image that needs it.
 */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { constants, inflate } from "node:zlib";
import type { ImageCodecs, Inflate, RgbaImage } from "../../image/formats/format.ts";

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

type Decode = (bytes: Uint8Array) => Promise<RgbaImage>;

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
      const image = await codec.decode(new Uint8Array(bytes).buffer);
      if (image.width * image.height > mostPixelsKept) started = undefined;
      return image;
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

const codecs: ImageCodecs = {
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

/** This thread's decoders for {@link decodeImage}. Each is loaded when it is first needed. */
export function nodeCodecs(): ImageCodecs {
  return codecs;
}
