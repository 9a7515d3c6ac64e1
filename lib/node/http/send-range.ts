/** Sends bytes, or the range of them that a request asks for. Source: RFC 9110, section 14. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Bytes that can be read from any place. */
export interface Content {
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  /** The bytes from `first` up to and with `last`. */
  readonly bytes: (first: number, last: number) => AsyncIterable<Uint8Array>;
}

/** @throws an error of the content, or of the connection */
export async function sendRange(
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  { type, size, bytes }: Content,
): Promise<void> {
  response.setHeader("Content-Type", type);
  response.setHeader("Accept-Ranges", "bytes");
  const range = parseRange(headers.range, size);
  if (range === null) {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return;
  }
  const [first, last] = range ?? [0, size - 1];
  response.writeHead(range === undefined ? 200 : 206, {
    "Content-Length": last - first + 1,
    ...(range !== undefined && { "Content-Range": `bytes ${first}-${last}/${size}` }),
  });
  if (method === "HEAD" || size === 0) response.end();
  else await pipeline(Readable.from(bytes(first, last)), response);
}

/**
 * One range of bytes, both ends included; undefined for the whole, null for a range outside it. Several ranges are not
 * supported: the whole is sent.
 */
function parseRange(header: string | undefined, size: number): readonly [number, number] | null | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const range =
    first === ""
      ? ([Math.max(size - Number(last), 0), size - 1] as const)
      : ([Number(first), last === "" ? size - 1 : Math.min(Number(last), size - 1)] as const);
  return range[0] < size && range[0] <= range[1] ? range : null;
}
