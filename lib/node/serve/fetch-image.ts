/**
 * Gets an image from an address that a client sent. The server must not become a way into its own network, so it
 * connects to public addresses only: the address that a name resolves to is checked in the connection itself, where a
 * second answer of the name server cannot replace it.
 *
 * Errors do not tell why an address gave no image: a client could map networks by it.
 */
import { lookup as resolveName } from "node:dns";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { Problem } from "../../serve/problem.ts";
import { isPublicAddress } from "./public-address.ts";

export interface FetchImageOptions {
  /** In bytes. */
  readonly largest: number;
  /** In milliseconds, for the whole answer. Default: 10,000. */
  readonly timeout?: number;
  /** Default: `isPublicAddress`. */
  readonly isAllowed?: (address: string) => boolean;
  /** Default: the system's. */
  readonly lookup?: typeof resolveName;
  /** Ports that may be connected to. Default: 80 and 443. */
  readonly ports?: readonly number[];
}

/** A page that only redirects is not an image's address. */
const mostRedirects = 3;

/** @throws Problem if the address is not allowed or has no answer; the signal's reason */
export async function fetchImage(
  url: string,
  signal: AbortSignal,
  { timeout = 10_000, ...options }: FetchImageOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(timeout)]);
  try {
    let next = url;
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const response = await open(next, limited, options);
      const { statusCode = 0, headers } = response;
      if (statusCode === 200) return await read(response, options.largest);
      response.destroy();
      if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) break;
      next = new URL(headers.location, next).href;
    }
  } catch {
    signal.throwIfAborted();
  }
  throw new Problem(400, "image_url: expected a public address of an image, found none there");
}

function open(
  address: string,
  signal: AbortSignal,
  { isAllowed = isPublicAddress, lookup = resolveName, ports = [80, 443] }: FetchImageOptions,
): Promise<IncomingMessage> {
  const url = new URL(address);
  const isSecure = url.protocol === "https:";
  if (!isSecure && url.protocol !== "http:") throw new Error("another protocol");
  if (url.username !== "" || url.password !== "") throw new Error("a password");
  if (!ports.includes(Number(url.port || (isSecure ? 443 : 80)))) throw new Error("another port");
  // Node asks `lookup` about names only. The URL parser has brought other notations of IPv4 addresses into the usual one.
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0 && !isAllowed(host)) throw new Error("not allowed");
  return new Promise((resolve, reject) => {
    const request = (isSecure ? httpsRequest : httpRequest)(
      url,
      {
        agent: false,
        headers: { Accept: "image/*", "User-Agent": "clipscope" },
        lookup: allowing(isAllowed, lookup),
        signal,
      },
      resolve,
    );
    request.on("error", reject).end();
  });
}

/** A lookup whose answers are all allowed. */
function allowing(isAllowed: (address: string) => boolean, lookup: typeof resolveName): LookupFunction {
  return (name, options, callback) => {
    lookup(name, { ...options, all: true }, (error, addresses) => {
      const refused = error ?? (addresses.every(({ address }) => isAllowed(address)) ? null : new Error());
      if (refused !== null) callback(refused, []);
      else if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0]!.address, addresses[0]!.family);
    });
  };
}

async function read(response: IncomingMessage, largest: number): Promise<Uint8Array<ArrayBuffer>> {
  if (Number(response.headers["content-length"] ?? 0) > largest) throw new Error("too large");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largest) throw new Error("too large");
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
