/** Opens the model that the options name. */
import type { Clip } from "../../lib/clip/clip.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import "../../lib/node/tap-scope.ts";
import type { ModelOptions } from "./options.ts";
import type { Terminal } from "../terminal/terminal.ts";

/**
 * Runs `use` with the model and closes it after.
 *
 * @param load makes the model, where that is not to load its directory
 */
export async function withModel<T>(
  { model, arch, backend, weights }: ModelOptions,
  terminal: Terminal,
  use: (model: Clip) => Promise<T>,
  load = (): Promise<Clip> => loadModel(model, { backend, weights, ...(arch === undefined ? {} : { arch }) }),
): Promise<T> {
  const clip = await load();
  try {
    const { name, description } = await startNodeBackend(backend); // the one that the model has started
    const hint = name === "tensorflow" ? "" : ' ("clipscope native" builds a faster one)';
    terminal.note(`backend: ${description}${hint}`);
    return await use(clip);
  } finally {
    await clip.dispose();
  }
}
