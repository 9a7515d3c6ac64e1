import { InputError } from "../errors/input-error.ts";
import type { ByteSource } from "../tensor/store.ts";

/** Requests at the same time; browsers allow six to one host. */
const mostRequests = 4;

/** What `fetch` is needed for; specs pass their own. */
export type Fetch = (url: string, init: { readonly headers: Record<string, string> }) => Promise<Response>;

/**
 * A file behind HTTP, of which only the ranges that are asked for are loaded.
 *
 * A server that ignores `Range` would send the whole file for each tensor, and one that replaces the file would mix two
 * files' weights. Both are refused.
 */
export class HttpSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #tag: string | null;
  readonly #fetch: Fetch;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  private constructor(name: string, size: number, tag: string | null, fetch: Fetch) {
    this.name = name;
    this.size = size;
    this.#tag = tag;
    this.#fetch = fetch;
  }

  /** @throws InputError if the file is missing or the server does not support ranges */
  static async open(url: string, fetch: Fetch = globalThis.fetch.bind(globalThis)): Promise<HttpSource> {
    const response = await fetch(url, { headers: { Range: "bytes=0-0" } });
    await response.body?.cancel();
    const { total } = rangeOf(response, url);
    return new HttpSource(url, total, response.headers.get("ETag"), fetch);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (length === 0) return new Uint8Array();
    await this.#turn();
    try {
      return await this.#load(offset, length);
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #turn(): Promise<void> {
    if (this.#running >= mostRequests) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
  }

  async #load(offset: number, length: number): Promise<Uint8Array> {
    const range = `bytes=${offset}-${offset + length - 1}`;
    const response = await this.#fetch(this.name, { headers: { Range: range } });
    const { start, total } = rangeOf(response, this.name);
    const tag = response.headers.get("ETag");
    if (total !== this.size || tag !== this.#tag) {
      throw new InputError(`${this.name}: the file has changed since it was opened; reload the page`);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (start === offset && bytes.length === length) return bytes;
    throw new InputError(
      `${this.name}: expected ${length} bytes from ${offset}, found ${bytes.length} from ${start}`,
    );
  }
}

/** @throws InputError unless the response is a range of a file whose size is known */
function rangeOf(response: Response, url: string): { readonly start: number; readonly total: number } {
  if (response.status === 200) {
    throw new InputError(
      `${url}: expected a server that supports range requests (status 206), found status 200; use "clipscope studio"`,
    );
  }
  if (response.status !== 206) {
    throw new InputError(
      `${url}: expected status 206, found ${response.status} ${response.statusText}`.trim(),
    );
  }
  const header = response.headers.get("Content-Range") ?? "";
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(header) ?? [];
  if (start === undefined || total === undefined) {
    throw new InputError(`${url}: expected a Content-Range with the file's size, found "${header}"`);
  }
  return { start: Number(start), total: Number(total) };
}
