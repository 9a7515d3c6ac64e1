/** The options of `clipscope serve`, and their checks. */
import { Option, type Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { isLoopback } from "../../lib/node/serve/serve-rules.ts";
import { filterNames, type FilterName } from "../../lib/serve/filters.ts";
import { mostTerms } from "../../lib/serve/knn-request.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, positiveInteger, wholeNumber } from "./option-values.ts";
import { precisionOption, weightsOption, type ModelOptions } from "./with-model.ts";

export interface ServeOptions extends ModelOptions {
  readonly port: number;
  readonly host: string;
  readonly token?: string;
  readonly allowHost: readonly string[];
  readonly allowOrigin: readonly string[];
  readonly allowUrls?: boolean;
  readonly root: readonly string[];
  readonly column: readonly string[];
  readonly safeWhere?: string;
  readonly nonviolentWhere?: string;
  readonly aesthetic?: string;
  readonly ignoreFilter: readonly FilterName[];
  readonly batch: number;
  readonly queue: number;
  readonly cache: number;
  readonly threads?: number;
}

/** The port of `clip-retrieval back`. */
const defaultPort = 1234;

export function addServeOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--port <n>", "port to listen on; 0 for any free one")
        .argParser(wholeNumber)
        .default(defaultPort),
    )
    .option(
      "--host <address>",
      "address to listen on; one that other machines reach requires a token",
      "127.0.0.1",
    )
    .option(
      "--token <secret>",
      "secret that clients must send; or set CLIPSCOPE_TOKEN, which process lists do not show",
    )
    .option(
      "--allow-host <name>",
      "answer requests to this host name too, such as a proxy's (repeatable)",
      collect,
      [],
    )
    .option("--allow-origin <origin>", "let pages of this origin send requests (repeatable)", collect, [])
    .option("--allow-urls", "download images from public addresses that clients send as image_url")
    .option(
      "--root <dir>",
      "show images below this folder too (repeatable; default: the index's sources)",
      collect,
      [],
    )
    .option("--column <name>", "show this metadata column too (repeatable)", collect, [])
    .option("--safe-where <condition>", "rows that use_safety_model leaves, such as \"NSFW = 'UNLIKELY'\"")
    .option("--nonviolent-where <condition>", "rows that use_violence_detector leaves")
    .option("--aesthetic <file>", "vectors of the scores 0 to 9 (.npy) for aesthetic_score")
    .addOption(
      new Option(
        "--ignore-filter <name>",
        "ignore a filter that is not available instead of refusing the request (repeatable)",
      )
        .choices(filterNames)
        .argParser(filterName)
        .default([]),
    )
    .option("--batch <n>", "texts, or images, of a pass at most", positiveInteger, 32)
    .option("--queue <n>", "texts, or images, that wait for a pass at most", positiveInteger, 1024)
    .option("--cache <n>", "embeddings of queries to keep", wholeNumber, 10_000)
    .option("--threads <n>", "threads of a scan (default: one per processor)", wholeNumber)
    .addOption(weightsOption())
    .addOption(precisionOption());
}

function filterName(value: string, previous: readonly FilterName[]): FilterName[] {
  const name = filterNames.find((one) => one === value);
  if (name === undefined)
    throw new InputError(`--ignore-filter ${value}: expected one of ${filterNames.join(", ")}`);
  return [...previous, name];
}

/** Of a token that is not guessed. */
const shortestToken = 16;

/**
 * The secret that clients must send; null if none is needed.
 *
 * @throws InputError if one is needed and not given, or it cannot be one
 */
export function tokenOf({ host, token: given }: ServeOptions, { env }: Terminal): string | null {
  const token = given ?? env["CLIPSCOPE_TOKEN"];
  const source = given === undefined ? "CLIPSCOPE_TOKEN" : "--token";
  if (token === undefined) {
    if (isLoopback(host)) return null;
    throw new InputError(
      `--host ${host}: other machines can reach this address; set a token with CLIPSCOPE_TOKEN or --token`,
    );
  }
  // Printable without spaces: it is sent in a header.
  if (token.length >= shortestToken && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new InputError(
    `${source}: expected ${shortestToken} or more ASCII characters without spaces; "openssl rand -hex 32" makes a token`,
  );
}

/** @throws InputError for values that do not fit */
export function assertServeOptions({ port, queue, allowHost, allowOrigin }: ServeOptions): void {
  if (port > 65_535) throw new InputError(`--port ${port}: expected at most 65535`);
  if (queue < mostTerms)
    throw new InputError(`--queue ${queue}: expected at least ${mostTerms}, the terms of one query`);
  for (const name of allowHost) {
    if (/^[\w.-]+(:\d+)?$/.test(name)) continue;
    throw new InputError(`--allow-host ${name}: expected a host name, such as images.example.org`);
  }
  for (const origin of allowOrigin) {
    if (URL.canParse(origin) && new URL(origin).origin === origin) continue;
    throw new InputError(`--allow-origin ${origin}: expected an origin, such as https://example.org`);
  }
}
