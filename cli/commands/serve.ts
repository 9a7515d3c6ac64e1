/** `clipscope serve`: answers searches over HTTP. */
import { resolve } from "node:path";
import type { Command } from "commander";
import { serveIndices, type RunningServer } from "../../lib/node/serve/serve-indices.ts";
import { examples } from "../options/option-values.ts";
import { addServeOptions, serveOptions, type ServeCommandOptions } from "../options/serve-options.ts";
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

async function serve(
  folders: readonly string[],
  options: ServeCommandOptions,
  terminal: Terminal,
): Promise<void> {
  // Mistakes are reported before a model is loaded.
  const served = await serveOptions(folders, options, terminal);
  await withModel(options, terminal, async (model) => {
    const server = await serveIndices(model, nameOf(options), served);
    const stop = stopped();
    announce(server, options, terminal);
    await stop;
    terminal.note("answering the last requests");
    await server.close();
  });
}

function announce(
  { port, indices }: RunningServer,
  { host, json = false }: ServeCommandOptions,
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

function nameOf({ model }: ServeCommandOptions): string {
  return model === undefined
    ? "demo"
    : model.startsWith("hf:")
      ? model
      : resolve(model).split(/[/\\]/).at(-1)!;
}
