/**
 * The image decoders in a browser: its own inflate, and the same WebAssembly builds of mozjpeg and libwebp as under Node.
 *
 * The browser's own JPEG and WebP decoders would apply colour profiles, and canvases premultiply alpha.
 */
import type { CodecImage, ImageCodecs } from "../image/formats/format.ts";

/** Addresses of the codecs' WebAssembly files. */
export interface CodecFiles {
  readonly jpeg: string;
  readonly webp: string;
}

interface WasmCodec {
  init(module: WebAssembly.Module, overrides: { print: Print; printErr: Print }): Promise<unknown>;
  decode(buffer: ArrayBuffer): Promise<Omit<CodecImage, "stride">>;
}

type Print = (line: string) => void;

/** Each codec is loaded with the first image that needs it. */
export function browserCodecs(files: CodecFiles): ImageCodecs {
  return {
    inflate,
    jpeg: wasmDecoder(files.jpeg, async () => {
      const { default: decode, init } = await import("@jsquash/jpeg/decode.js");
      return { init, decode };
    }),
    webp: wasmDecoder(files.webp, async () => {
      const { default: decode, init } = await import("@jsquash/webp/decode.js");
      return { init, decode };
    }),
  };
}

/** A codec that is compiled once, and restarted after a failure, which may leave its memory in any state. */
function wasmDecoder(url: string, load: () => Promise<WasmCodec>): ImageCodecs["jpeg"] {
  let compiled: Promise<WebAssembly.Module> | undefined;
  let started: Promise<WasmCodec> | undefined;
  const messages: string[] = [];
  const start = async (): Promise<WasmCodec> => {
    compiled ??= WebAssembly.compileStreaming(fetch(url));
    const [module, codec] = await Promise.all([compiled, load()]);
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
      return { width, height, data, stride: 4 };
    } catch (error) {
      started = undefined;
      throw new Error(messages[0] ?? "the decoder rejects it", { cause: error });
    } finally {
      messages.length = 0;
    }
  };
}

/** Reads chunks until there are `size` bytes; of a truncated stream, the part that it has. */
async function inflate(bytes: Uint8Array, size: number): Promise<Uint8Array> {
  const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const reader = stream.getReader();
  const output = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      if (length === 0) throw error;
      return { done: true as const, value: undefined };
    });
    if (done) break;
    const part = value.subarray(0, size - length);
    output.set(part, length);
    length += part.length;
  }
  await reader.cancel().catch(() => undefined);
  return output.subarray(0, length);
}
