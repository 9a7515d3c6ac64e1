/** Commands that run the network: their options `--weights` and `--precision`, and the model that the options name. */
import { Option } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import "../../lib/node/tap-scope.ts";
import { precisions, weightPacker, type Precision } from "../../lib/tensor/precision.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { GlobalOptions } from "./global-options.ts";

export interface ModelOptions extends GlobalOptions {
  readonly weights: "resident" | "streamed" | "auto";
  readonly precision: Precision;
}

export function weightsOption(): Option {
  return new Option("--weights <mode>", "keep weights in memory, or read each block from disk in every pass")
    .choices(["resident", "streamed", "auto"])
    .default("auto");
}

export function precisionOption(): Option {
  return new Option(
    "--precision <name>",
    "precision of matrix products; bf16 and int8 need the native backend",
  )
    .choices(precisions)
    .default("f32");
}

/** Loads the model directory that the options name. @throws InputError as `loadModel` */
export function loadModelOf(
  { model, arch, backend, weights, precision }: ModelOptions,
  terminal: Terminal,
): Promise<Clip> {
  return loadModel(model, {
    backend,
    residency: weights,
    precision,
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
    const { precision } = clip.weights;
    const products =
      precision === "f32" ? "" : `, ${precision} (${weightPacker(precision).describe(precision)})`;
    terminal.note(`backend: ${description}${products}${hint}`);
    return await use(clip);
  } finally {
    await clip.dispose();
  }
}
