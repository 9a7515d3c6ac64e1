/** The options of every command. */
import { Option, type Command } from "commander";
import type { BackendChoice } from "../../lib/tensor/backend.ts";

export interface GlobalOptions {
  readonly model?: string;
  readonly arch?: string;
  readonly backend: BackendChoice;
  readonly json?: boolean;
}

export function addGlobalOptions(program: Command): Command {
  return program
    .option(
      "--model <dir>",
      "model directory, or hf:REPOSITORY for a pulled model (default: the bundled demo model)",
    )
    .option("--arch <name>", "open_clip architecture name, for a model directory without a config")
    .addOption(
      new Option("--backend <name>", "compute backend")
        .choices(["auto", "tensorflow", "webgpu", "wasm", "cpu"])
        .default("auto"),
    )
    .option("--json", "print one JSON document")
    .option("--debug", "print stack traces and TensorFlow's log messages");
}
