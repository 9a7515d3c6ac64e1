/**
 * The decoders that pictures need, under Node: zlib, and mozjpeg and libwebp as WebAssembly.
 *
 * jimp's wrappers of these fetch their .wasm files, which fails for a file URL under Node; so the files are compiled
 * here and handed over. Each codec starts with the first picture that needs it.
 *
 * @source @jsquash/jpeg and @jsquash/webp, which @jimp/wasm-jpeg and @jimp/wasm-webp wrap
 */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { constants, inflate } from "node:zlib";
import type { ImageCodecs, Inflate, RgbaImage } from "../../image/formats/format.ts";

const inflateAsync = promisify(inflate);

/** zlib reports more output than asked for as an error, so a little more than asked for is let through. */
const SLACK = 1 << 16;

const inflateAtMost: Inflate = async (bytes, size) => {
  // Z_SYNC_FLUSH: a stream that ends early gives what it has.
  const options = { maxOutputLength: size + SLACK, finishFlush: constants.Z_SYNC_FLUSH };
  return inflateAsync(bytes, options);
};

/** A WASM heap never shrinks: after a picture as large as this the codec starts anew. */
const MAXIMUM_KEPT_PIXELS = 1 << 25;

type Decode = (bytes: Uint8Array) => Promise<RgbaImage>;

type Print = (line: string) => void;

interface WasmCodec {
  init(module: WebAssembly.Module, overrides: { print: Print; printErr: Print }): Promise<unknown>;
  decode(buffer: ArrayBuffer): Promise<RgbaImage>;
}

/** A codec that is compiled once and started anew after a failure, which may leave its memory in any state. */
function wasmDecoder(wasmFile: string, load: () => Promise<WasmCodec>): Decode {
  let compiled: Promise<WebAssembly.Module> | undefined;
  let started: Promise<WasmCodec> | undefined;
  const messages: string[] = [];
  const start = async (): Promise<WasmCodec> => {
    compiled ??= readFile(new URL(import.meta.resolve(wasmFile))).then((bytes) => WebAssembly.compile(bytes));
    const [module, codec] = await Promise.all([compiled, load()]);
    provideImageData();
    // Nothing that a codec says goes to the terminal.
    const print: Print = (line) => messages.push(line);
    await codec.init(module, { print, printErr: print });
    return codec;
  };
  return async (bytes) => {
    started ??= start();
    const codec = await started;
    try {
      // The codec takes the whole ArrayBuffer, whatever part of it a view shows.
      const image = await codec.decode(new Uint8Array(bytes).buffer);
      if (image.width * image.height > MAXIMUM_KEPT_PIXELS) started = undefined;
      return image;
    } catch (error) {
      started = undefined;
      throw new Error(messages[0] ?? "the decoder refuses it", { cause: error });
    } finally {
      messages.length = 0;
    }
  };
}

/** The codecs build their result with the browser's ImageData, which Node does not have. */
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

/** Decoders for {@link decodeImage}, this thread's. Nothing is loaded before it is needed, and nothing twice. */
export function nodeCodecs(): ImageCodecs {
  return codecs;
}
