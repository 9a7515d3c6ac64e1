/** `clipscope convert`: converts a checkpoint to a model directory. Starts no backend. */
import { Option, type Command } from "commander";
import { convert, type ConvertReport } from "../../tools/convert/convert.ts";
import type { FloatDtype } from "../../lib/tensor/rounding.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { examples } from "../options/option-values.ts";
import { byteSize } from "../terminal/format.ts";
import { megabytes } from "../terminal/progress-line.ts";
import { layOutFields } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly dtype?: "f32" | "f16" | "bf16";
  readonly force?: boolean;
  readonly allowOverflow?: boolean;
  readonly keepLogitScale?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("convert")
    .description(
      "Convert a checkpoint (.pt, .bin, safetensors, shards) to a model directory. No code in the checkpoint is executed.\n" +
        "The config, tokenizer and text folder next to the checkpoint are copied.",
    )
    .argument("<source>", "checkpoint file, model directory or hf:REPOSITORY")
    .argument("<destination>", "model directory to create")
    .addOption(
      new Option(
        "--dtype <format>",
        "round tensors to this format (default: keep each tensor's dtype)",
      ).choices(["f32", "f16", "bf16"]),
    )
    .option("--force", "replace an existing model directory")
    .option(
      "--keep-logit-scale",
      "keep clip-italian's stored logit scale of 1 instead of the 20 of its training",
    )
    .option("--allow-overflow", "write infinities for numbers that are too large for the format")
    .addHelpText(
      "after",
      examples(
        "clipscope convert open_clip_pytorch_model.bin model/ --arch xlm-roberta-large-ViT-H-14",
        "clipscope convert epoch_32.pt model/ --arch ViT-B-32",
        "clipscope convert model/ model-f16/ --dtype f16",
        "clipscope convert hf:laion/CLIP-ViT-B-32-laion2B-s34B-b79K model/",
      ),
    )
    .action(async (source: string, destination: string, _options: unknown, self: Command) => {
      await runConvert(source, destination, self.optsWithGlobals(), terminal);
    });
}

async function runConvert(
  source: string,
  destination: string,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { arch, dtype, force = false, allowOverflow = false, keepLogitScale = false, json = false } = options;
  const start = performance.now();
  const report = await terminal.progress((show) =>
    convert(source, destination, {
      ...(arch === undefined ? {} : { arch }),
      ...(dtype === undefined ? {} : { dtype: dtype.toUpperCase() as FloatDtype }),
      force,
      allowOverflow,
      keepLogitScale,
      onProgress: (done, total) => {
        show(megabytes(done, total));
      },
    }),
  );
  if (json) terminal.printJson(report);
  else terminal.printLines(describe(report, dtype, performance.now() - start));
}

function describe(report: ConvertReport, dtype: string | undefined, ms: number): string[] {
  const { architecture, bytes, destination, files, ignored, leftOut, skipped } = report;
  const dtypes = Object.entries(report.dtypes).map(([name, count]) => `${count} ${name}`);
  const list = (names: readonly string[]): [string][] => names.map((name) => [`  ${name}`]);
  const fields: [string, string?][] = [
    ["source", `${report.source} (${report.format})`],
    ["architecture", `${architecture.name ?? report.layout ?? "from the config"}${origin(architecture)}`],
    [
      "tensors",
      `${report.tensors} (${dtypes.join(", ")}), ${report.parameters.toLocaleString("en")} parameters`,
    ],
  ];
  if (dtype !== undefined) {
    fields.push(["rounded", `${report.overflowed} overflowed, ${report.subnormal} became subnormal or zero`]);
  }
  for (const note of report.notes) fields.push(["note", note]);
  if (ignored.length > 0) fields.push(["dropped", ignored.join(", ")]);
  if (leftOut.length > 0) {
    fields.push(["left out", `${leftOut.length} tensors that do not belong to the model:`], ...list(leftOut));
  }
  if (skipped.length > 0) {
    fields.push(["not tensors", `${skipped.length} entries:`], ...list(skipped));
  }
  fields.push(
    ["copied", files.join(", ")],
    ["written", `${destination}: ${byteSize(bytes)} in ${(ms / 1000).toFixed(1)} s, verified`],
  );
  return layOutFields(fields);
}

function origin({ from, alternatives }: ConvertReport["architecture"]): string {
  if (from === "layout") return " (translated to OpenCLIP's names and shapes)";
  if (from === "table") return " (from open_clip's table of published models)";
  if (from !== "shapes") return "";
  const others =
    alternatives.length === 0
      ? ""
      : `; ${alternatives.join(", ")} would have the same shapes: choose with --arch`;
  return ` (inferred from tensor shapes${others})`;
}
