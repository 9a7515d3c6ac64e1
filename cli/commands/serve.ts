/** `clipscope serve`: answers searches over HTTP. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { readAestheticVectors } from "../../lib/node/serve/aesthetic-vectors.ts";
import { searchPage } from "../../lib/node/serve/search-page.ts";
import { serveIndices, type RunningServer } from "../../lib/node/serve/serve-indices.ts";
import { serveRules } from "../../lib/node/serve/serve-rules.ts";
import type { Filters } from "../../lib/serve/filters.ts";
import { examples } from "../options/option-values.ts";
import { addServeOptions, assertServeOptions, tokenOf, type ServeOptions } from "../options/serve-options.ts";
import { withModel } from "../options/with-model.ts";
import type { Terminal } from "../terminal/terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("serve")
    .description(
      "Answer searches of indices over HTTP until the program is stopped: the endpoints of clip-retrieval (/knn-service, " +
        "/metadata, /indices-list), /v1/embeddings in OpenAI's form, /health, /metrics, and a page to search with. " +
        "An index is known by the name of its folder; it is served as it was when the server started.",
    )
    .argument("<dir...>", "index folders, or folders that clip-retrieval wrote");
  addServeOptions(command)
    .addHelpText(
      "after",
      examples(
        "clipscope serve photos-index",
        "clipscope serve photos-index --ignore-filter safety --ignore-filter violence --ignore-filter aesthetic",
        "CLIPSCOPE_TOKEN=$(openssl rand -hex 32) clipscope serve photos-index --host 0.0.0.0",
        "clipscope serve laion-index --safe-where \"NSFW = 'UNLIKELY'\" --allow-origin http://localhost:8080",
      ),
    )
    .action(async (folders: string[], _options: unknown, self: Command) => {
      await serve(folders, self.optsWithGlobals(), terminal);
    });
}

async function serve(folders: readonly string[], options: ServeOptions, terminal: Terminal): Promise<void> {
  assertServeOptions(options);
  const { host, port, allowHost, allowOrigin, threads } = options;
  const token = tokenOf(options, terminal);
  const filters = await filtersOf(options);
  const manifest = await searchPage();
  await withModel(options, terminal, async (model) => {
    const server = await serveIndices(model, nameOf(options), {
      folders,
      host,
      port,
      token,
      rules: serveRules({ host, allowedHosts: allowHost, allowedOrigins: allowOrigin }),
      filters,
      columns: options.column,
      roots: options.root,
      allowUrls: options.allowUrls ?? false,
      batchSize: options.batch,
      mostWaiting: options.queue,
      cached: options.cache,
      manifest,
      onError: (error) => {
        terminal.warn(describe(error, terminal.debug));
      },
      ...(threads !== undefined && { threads }),
    });
    const stop = stopped();
    announce(server, options, terminal);
    await stop;
    terminal.note("answering the last requests");
    await server.close();
  });
}

async function filtersOf({
  safeWhere,
  nonviolentWhere,
  aesthetic,
  ignoreFilter,
}: ServeOptions): Promise<Filters> {
  return {
    ...(safeWhere !== undefined && { safety: safeWhere }),
    ...(nonviolentWhere !== undefined && { violence: nonviolentWhere }),
    ...(aesthetic !== undefined && { aesthetic: await readAestheticVectors(aesthetic) }),
    ignored: new Set(ignoreFilter),
  };
}

function announce(
  { port, indices }: RunningServer,
  { host, json = false }: ServeOptions,
  terminal: Terminal,
): void {
  const url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/`;
  if (json) {
    terminal.printJson({ url, indices: indices.map(({ name, rows }) => ({ name, rows })) });
    return;
  }
  for (const { name, rows } of indices) terminal.print(`${name}: ${rows} ${rows === 1 ? "row" : "rows"}`);
  terminal.print(`Listening on ${url} (stop with Ctrl+C)`);
}

/** Until a signal asks the program to stop. A second one ends it at once, as signals do by default. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off("SIGTERM", stop).off("SIGINT", stop);
      resolve();
    };
    process.on("SIGTERM", stop).on("SIGINT", stop);
  });
}

/** An error of the server, which ends one request only. */
function describe(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return String(error);
  return debug && error.stack !== undefined ? error.stack : error.message;
}

function nameOf({ model }: ServeOptions): string {
  return model === undefined
    ? "demo"
    : model.startsWith("hf:")
      ? model
      : resolve(model).split(/[/\\]/).at(-1)!;
}
