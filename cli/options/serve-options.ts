/** The options of `clipscope serve`. */
import { Option, type Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { readAestheticVectors } from "../../lib/node/serve/aesthetic-vectors.ts";
import { checkedServeOptions, serveDefaults, type ServeOptions } from "../../lib/node/serve/serve-options.ts";
import { filterNames, type FilterName, type Filters } from "../../lib/serve/filters.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, positiveInteger, wholeNumber } from "./option-values.ts";
import { precisionOption, weightsOption, type ModelOptions } from "./with-model.ts";

export interface ServeCommandOptions extends ModelOptions {
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
  readonly ignoreFilter: readonly string[];
  readonly batch: number;
  readonly queue: number;
  readonly cache: number;
  readonly threads?: number;
}

export function addServeOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--port <n>", "port to listen on; 0 for any free one")
        .argParser(wholeNumber)
        .default(serveDefaults.port),
    )
    .option(
      "--host <address>",
      "address to listen on; one that other machines reach requires a token",
      serveDefaults.host,
    )
    .option(
      "--token <secret>",
      "secret that clients must send; or set CLIPSCOPE_TOKEN, which process lists do not show",
    )
    .option(
      "--allow-host <name>",
      "answer requests to this host name too, such as a proxy's; may be repeated",
      collect,
      [],
    )
    .option("--allow-origin <origin>", "let pages of this origin send requests; may be repeated", collect, [])
    .option("--allow-urls", "download images from public addresses that clients send as image_url")
    .option(
      "--root <dir>",
      "show images below this folder too (repeatable; default: the index's sources)",
      collect,
      [],
    )
    .option("--column <name>", "show this metadata column too; may be repeated", collect, [])
    .option("--safe-where <condition>", "rows that use_safety_model leaves, such as \"NSFW = 'UNLIKELY'\"")
    .option("--nonviolent-where <condition>", "rows that use_violence_detector leaves")
    .option("--aesthetic <file>", "vectors of the scores 0 to 9 (.npy) for aesthetic_score")
    .option(
      "--ignore-filter <name>",
      `ignore a filter that is not available instead of refusing the request: ${filterNames.join(", ")}; may be repeated`,
      collect,
      [],
    )
    .option("--batch <n>", "texts, or images, of a pass at most", positiveInteger, serveDefaults.batchSize)
    .option(
      "--queue <n>",
      "texts, or images, that wait for a pass at most",
      positiveInteger,
      serveDefaults.mostWaiting,
    )
    .option("--cache <n>", "embeddings of queries to keep", wholeNumber, serveDefaults.cached)
    .option("--threads <n>", "threads of a scan (default: one per processor)", wholeNumber)
    .addOption(weightsOption())
    .addOption(precisionOption());
}

/**
 * The options in the library's form.
 *
 * @throws InputError for values that do not fit
 */
export async function serveOptions(
  folders: readonly string[],
  options: ServeCommandOptions,
  terminal: Terminal,
): Promise<ServeOptions> {
  const { port, host, allowHost, allowOrigin, allowUrls = false, threads } = options;
  return checkedServeOptions({
    folders,
    port,
    host,
    token: options.token ?? terminal.env["CLIPSCOPE_TOKEN"] ?? null,
    allowedHosts: allowHost,
    allowedOrigins: allowOrigin,
    filters: await filtersOf(options),
    columns: options.column,
    roots: options.root,
    allowUrls,
    batchSize: options.batch,
    mostWaiting: options.queue,
    cached: options.cache,
    ...(threads !== undefined && { threads }),
    onError: (error) => {
      terminal.warn(describe(error, terminal.debug));
    },
  });
}

async function filtersOf(options: ServeCommandOptions): Promise<Filters> {
  const { safeWhere, nonviolentWhere, aesthetic, ignoreFilter } = options;
  return {
    ...(safeWhere !== undefined && { safety: safeWhere }),
    ...(nonviolentWhere !== undefined && { violence: nonviolentWhere }),
    ...(aesthetic !== undefined && { aesthetic: await readAestheticVectors(aesthetic) }),
    ignored: new Set(ignoreFilter.map(filterName)),
  };
}

function filterName(given: string): FilterName {
  const name = filterNames.find((one) => one === given);
  if (name !== undefined) return name;
  throw new InputError(`--ignore-filter ${given}: expected one of ${filterNames.join(", ")}`);
}

/** An error of the server, which ends one request only. */
function describe(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return String(error);
  return debug && error.stack !== undefined ? error.stack : error.message;
}
