/** Images that are given as bytes, blobs and streams: their bytes, in memory of their own. */
import { Readable } from "node:stream";
import { InputError } from "../../errors/input-error.ts";
import { maximumBytes } from "../../image/decode.ts";
import { inputName, type ImageContent, type ImageInput, type ImageSource } from "../../tasks/image-source.ts";

/** In bytes. A stream does not say how long it is, so the limit is lower than for files: 256 MiB. */
export const maximumStreamBytes = 2 ** 28;

/** An image that a worker thread can be sent. */
export type ReadyImage = ImageSource | ImageBytes;

export interface ImageBytes {
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** Whether an image is ready as it is. */
export function isSource(image: ImageInput): image is ImageSource {
  return typeof image === "string" || isPart(image);
}

function isPart(image: unknown): boolean {
  return (
    typeof image === "object" && image !== null && "file" in image && ("offset" in image || "box" in image)
  );
}

/**
 * Reads an image's content.
 *
 * @param index its place in the list, for its name
 * @param signal stops the reading of a stream, and closes it
 * @throws InputError if it is none of the kinds that are accepted, is too large, or its stream fails
 */
export async function readyImage(
  image: ImageInput,
  index: number,
  signal?: AbortSignal,
): Promise<ReadyImage> {
  if (isSource(image)) return image;
  const name = inputName(image, index);
  const isNamed = typeof image === "object" && (image as object | null) !== null && "content" in image;
  const content: unknown = isNamed ? image.content : image;
  try {
    return { name, content: await readContent(content as ImageContent, name, signal) };
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new InputError(`${name}: its bytes cannot be read (${reason})`, [], { cause: error });
  }
}

async function readContent(
  content: ImageContent,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  if (content instanceof Blob) {
    assertSize(content.size, maximumBytes, name);
    return new Uint8Array(await content.arrayBuffer());
  }
  const bytes = bytesOf(content);
  if (bytes !== undefined) {
    assertSize(bytes.length, maximumBytes, name);
    // A copy: the caller may reuse its buffer, and a view of a large buffer would be sent to a thread with all of it.
    return new Uint8Array(bytes);
  }
  const chunks = chunksOf(content);
  if (chunks !== undefined) return collect(chunks, name, signal);
  const found = (content as unknown) === null ? "null" : Array.isArray(content) ? "a list" : typeof content;
  throw new InputError(`${name}: expected an image's path, bytes, Blob, stream or data: URL, got ${found}`);
}

/** A view; undefined for anything else. */
function bytesOf(content: unknown): Uint8Array | undefined {
  if (ArrayBuffer.isView(content)) {
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  }
  return content instanceof ArrayBuffer ? new Uint8Array(content) : undefined;
}

interface Chunks {
  /** The next chunk; undefined at the end. */
  readonly next: () => Promise<unknown>;
  /** Closes the stream, also while `next` waits. */
  readonly stop: () => void;
}

function chunksOf(content: unknown): Chunks | undefined {
  if (content instanceof ReadableStream) {
    const reader = content.getReader() as ReadableStreamDefaultReader<unknown>;
    return {
      next: async () => (await reader.read()).value,
      stop: () => void reader.cancel().catch(() => undefined),
    };
  }
  if (typeof content !== "object" || content === null || !(Symbol.asyncIterator in content)) return undefined;
  const iterator = (content as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  return {
    next: async () => {
      const chunk = await iterator.next();
      return chunk.done === true ? undefined : chunk.value;
    },
    stop: () => {
      // A Readable that waits for data ends only if it is destroyed.
      if (content instanceof Readable) content.destroy();
      else void iterator.return?.();
    },
  };
}

async function collect(
  { next, stop }: Chunks,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.addEventListener("abort", stop);
  try {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (let chunk = await next(); chunk !== undefined; chunk = await next()) {
      const part = bytesOf(chunk);
      if (part === undefined) {
        throw new InputError(
          `${name}: expected a stream of bytes, got ${typeof chunk}; set no encoding and no object mode`,
        );
      }
      parts.push(part);
      size += part.length;
      assertSize(size, maximumStreamBytes, name);
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  } catch (error) {
    stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function assertSize(size: number, most: number, name: string): void {
  if (size <= most) return;
  throw new InputError(`${name}: expected an image of at most ${most} bytes, found more; make it smaller`);
}

/** The bytes of a `data:` URL. @throws InputError if it is not valid */
export async function readDataUrl(url: string, name: string): Promise<Uint8Array> {
  try {
    const response = await fetch(url);
    return new Uint8Array(await response.arrayBuffer());
  } catch (error) {
    throw new InputError(`${name}: not a valid data: URL (data:image/png;base64,…)`, [], { cause: error });
  }
}
