/** Opens the model that the options name. */
import type { Clip } from "../lib/clip/clip.ts";
import { startNodeBackend } from "../lib/node/backends.ts";
import { loadModel } from "../lib/node/load-model.ts";
import type { ModelOptions } from "./options.ts";
import type { Terminal } from "./terminal.ts";

/** Runs `use` with the model and closes it after. */
export async function withModel<T>(
  { model, arch, backend, weights }: ModelOptions,
  terminal: Terminal,
  use: (model: Clip) => Promise<T>,
): Promise<T> {
  const clip = await loadModel(model, { backend, weights, ...(arch === undefined ? {} : { arch }) });
  try {
    const { name, description } = await startNodeBackend(backend);
    const hint = name === "tensorflow" ? "" : ' ("clipscope native" builds a faster one)';
    terminal.note(`backend: ${description}${hint}`);
    return await use(clip);
  } finally {
    await clip.dispose();
  }
}
