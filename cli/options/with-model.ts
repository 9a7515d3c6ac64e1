/** Commands that run the network: their option `--weights`, and the model that the options name. */
import { Option } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import "../../lib/node/tap-scope.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { GlobalOptions } from "./global-options.ts";

export interface ModelOptions extends GlobalOptions {
  readonly weights: "resident" | "streamed" | "auto";
}

export function weightsOption(): Option {
  return new Option("--weights <mode>", "keep weights in memory, or read each block from disk in every pass")
    .choices(["resident", "streamed", "auto"])
    .default("auto");
}

/** Loads the model directory that the options name. @throws InputError as `loadModel` */
export function loadModelOf(
  { model, arch, backend, weights }: ModelOptions,
  terminal: Terminal,
): Promise<Clip> {
  return loadModel(model, {
    backend,
    residency: weights,
    ...(arch === undefined ? {} : { arch }),
    onNote: (note) => {
      terminal.note(note);
    },
  });
}

/**
 * Calls `use` with the model and disposes it afterwards.
 *
 * @param load default: load the model directory that the options name
 */
export async function withModel<T>(
  options: ModelOptions,
  terminal: Terminal,
  use: (model: Clip) => Promise<T>,
  load = (): Promise<Clip> => loadModelOf(options, terminal),
): Promise<T> {
  const clip = await load();
  try {
    // The backend that loading the model started.
    const { name, description } = await startNodeBackend(options.backend);
    const hint = name === "tensorflow" ? "" : ' ("clipscope native" builds a faster one)';
    terminal.note(`backend: ${description}${hint}`);
    return await use(clip);
  } finally {
    await clip.dispose();
  }
}
