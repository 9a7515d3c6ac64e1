/** The options of a server of indices, their defaults and checks. */
import { InputError } from "../../errors/input-error.ts";
import type { Filters } from "../../serve/filters.ts";
import { mostTerms } from "../../serve/knn-request.ts";
import type { Limits } from "./limits.ts";
import { isLoopback } from "./serve-rules.ts";

/** What a server serves, and to whom. */
export interface ServeOptions {
  /** Index folders. Each is known by the last part of its path. */
  readonly folders: readonly string[];
  /** 0 for any free one. Default: 1234, as `clip-retrieval back`. */
  readonly port?: number;
  /** The address to listen on. Default: 127.0.0.1. One that other machines can reach requires a token. */
  readonly host?: string;
  /** The secret that clients must send; null (default) to answer all. */
  readonly token?: string | null;
  /** Host names that clients use besides this machine's own, such as a proxy's. */
  readonly allowedHosts?: readonly string[];
  /** Origins of other servers whose pages may send requests and read the answers. */
  readonly allowedOrigins?: readonly string[];
  /** What serves clip-retrieval's filters. Default: requests for a filter are refused. */
  readonly filters?: Filters;
  /** Columns that clients see besides the default ones. */
  readonly columns?: readonly string[];
  /** Folders whose images are shown, besides those of the indices' sources. */
  readonly roots?: readonly string[];
  /** Whether clients may send addresses of images. Default: false. */
  readonly allowUrls?: boolean;
  /** Texts, or images, of a pass at most. Default: 32. */
  readonly batchSize?: number;
  /** Texts, or images, that wait for a pass at most. Default: 1024. */
  readonly mostWaiting?: number;
  /** Embeddings of queries that are kept. Default: 10,000. */
  readonly cached?: number;
  /** Threads of a scan. Default: one per processor. */
  readonly threads?: number;
  /** Whether to send the page that searches. Default: true. */
  readonly page?: boolean;
  /** Where they differ from the defaults. */
  readonly limits?: Partial<Limits>;
  /** Receives errors that are not the client's. They end one request only. */
  readonly onError: (error: unknown) => void;
}

/** Options with their defaults. */
export type CheckedServeOptions = Required<Omit<ServeOptions, "threads">> & Pick<ServeOptions, "threads">;

export const serveDefaults = {
  port: 1234,
  host: "127.0.0.1",
  batchSize: 32,
  mostWaiting: 1024,
  cached: 10_000,
} as const;

/** @throws InputError for a value that does not fit, named as an option of `clipscope serve` */
export function checkedServeOptions(options: ServeOptions): CheckedServeOptions {
  const checked = {
    ...serveDefaults,
    token: null,
    allowedHosts: [],
    allowedOrigins: [],
    filters: { ignored: new Set<never>() },
    columns: [],
    roots: [],
    allowUrls: false,
    page: true,
    limits: {},
    ...options,
  };
  const { port, host, token, mostWaiting } = checked;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new InputError(`--port ${port}: expected a whole number of at most 65535`);
  }
  if (mostWaiting < mostTerms) {
    throw new InputError(`--queue ${mostWaiting}: expected at least ${mostTerms}, the terms of one query`);
  }
  if (token === null && !isLoopback(host)) {
    throw new InputError(
      `--host ${host}: other machines can reach this address; set a token with CLIPSCOPE_TOKEN or --token`,
    );
  }
  if (token !== null) assertToken(token);
  for (const name of checked.allowedHosts) assertHost(name);
  for (const origin of checked.allowedOrigins) assertOrigin(origin);
  return checked;
}

/** Of a token that is not guessed. */
const shortestToken = 16;

function assertToken(token: string): void {
  // Printable without spaces: it is sent in a header.
  if (token.length >= shortestToken && /^[\x21-\x7e]+$/.test(token)) return;
  throw new InputError(
    `--token: expected ${shortestToken} or more ASCII characters without spaces; "openssl rand -hex 32" makes a token`,
  );
}

function assertHost(name: string): void {
  if (/^[\w.-]+(:\d+)?$/.test(name)) return;
  throw new InputError(`--allow-host ${name}: expected a host name, such as images.example.org`);
}

function assertOrigin(origin: string): void {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return;
  throw new InputError(`--allow-origin ${origin}: expected an origin, such as https://example.org`);
}
