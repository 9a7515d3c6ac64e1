/** `clipscope studio`: the page that shows the network at work. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { platform } from "node:process";
import { Option, type Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { studioManifest } from "../../lib/node/studio-server/manifest.ts";
import { serveModel } from "../../lib/node/studio-server/serve-model.ts";
import { serveStudio, type StudioServer } from "../../lib/node/studio-server/server.ts";
import { examples, wholeNumber } from "../options/option-values.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { packageInfo } from "../package-info.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly port: number;
  readonly open?: boolean;
}

const defaultPort = 7833;

export function register(program: Command, terminal: Terminal): void {
  program
    .command("studio")
    .description(
      "Serve the studio on 127.0.0.1 until the program is stopped: a page that shows every value of both towers for your " +
        "images and texts. The demo model runs in the page; the model of --model runs in the server.",
    )
    .addOption(
      new Option("--port <n>", "port to listen on; 0 for any free one")
        .argParser(wholeNumber)
        .default(defaultPort),
    )
    .option("--open", "open the page in the browser")
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText("after", examples("clipscope studio --open", "clipscope studio --model DIR --port 8000"))
    .action(async (_options: unknown, self: Command) => {
      await studio(self.optsWithGlobals(), terminal);
    });
}

async function studio(options: Options, terminal: Terminal): Promise<void> {
  const { model, port } = options;
  if (port > 65_535) throw new InputError(`--port ${port}: expected at most 65535`);
  if (model === undefined) {
    await serve(await serveStudio(await studioManifest(), port), options, terminal);
    return;
  }
  await withModel(options, terminal, async (clip) => {
    const { description } = await startNodeBackend(options.backend);
    const { version } = packageInfo();
    const name = basename(model);
    await serve(await serveModel(clip, { name, backend: description, version, port }), options, terminal);
  });
}

/** Serves until the program is stopped. */
async function serve(
  { url, server }: StudioServer,
  { open = false, json = false }: Options,
  terminal: Terminal,
): Promise<void> {
  if (json) terminal.printJson({ url });
  else terminal.print(`The studio is at ${url} (stop it with Ctrl+C)`);
  if (open) openInBrowser(url);
  await once(server, "close");
}

/** The address is printed too, so a failure needs no message. */
function openInBrowser(url: string): void {
  const commands: Readonly<Record<string, readonly [string, ...string[]]>> = {
    darwin: ["open", url],
    win32: ["cmd", "/c", "start", "", url],
  };
  const [command, ...args] = commands[platform] ?? ["xdg-open", url];
  spawn(command, args, { stdio: "ignore", detached: true })
    .on("error", () => undefined)
    .unref();
}
