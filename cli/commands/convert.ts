/** `clipscope convert`: a checkpoint becomes a model directory. Needs no backend. */
import { Option, type Command } from "commander";
import { convert, type ConvertReport } from "../../tools/convert/convert.ts";
import type { FloatDtype } from "../../lib/tensor/dtype.ts";
import { examples, type GlobalOptions } from "../options/options.ts";
import { megabytes } from "../terminal/progress.ts";
import type { Progress, Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly dtype?: "f32" | "f16" | "bf16";
  readonly force?: boolean;
  readonly allowOverflow?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("convert")
    .description(
      "Turns a checkpoint (.pt, .bin, safetensors, shards) into a model directory.\n" +
        "Nothing in the checkpoint is executed. Config, tokenizer and text folder beside it come along.",
    )
    .argument("<source>", "checkpoint file, model directory or hf:REPOSITORY")
    .argument("<destination>", "the model directory to be made")
    .addOption(
      new Option("--dtype <format>", "round to this format (default: as it was)").choices([
        "f32",
        "f16",
        "bf16",
      ]),
    )
    .option("--force", "replace a model directory that is there already")
    .option("--allow-overflow", "write infinities where numbers are too large for the format")
    .addHelpText(
      "after",
      examples(
        "clipscope convert open_clip_pytorch_model.bin model/ --arch xlm-roberta-large-ViT-H-14",
        "clipscope convert epoch_32.pt model/ --arch ViT-B-32",
        "clipscope convert model/ model-f16/ --dtype f16",
        "clipscope convert hf:laion/CLIP-ViT-B-32-laion2B-s34B-b79K model/",
      ),
    )
    .action(async (source: string, destination: string, _options: unknown, command: Command) => {
      await run(source, destination, command.optsWithGlobals(), terminal);
    });
}

async function run(source: string, destination: string, options: Options, terminal: Terminal): Promise<void> {
  const { arch, dtype, force = false, allowOverflow = false, json = false } = options;
  let progress: Progress | undefined;
  const start = performance.now();
  try {
    const report = await convert(source, destination, {
      ...(arch === undefined ? {} : { arch }),
      ...(dtype === undefined ? {} : { dtype: dtype.toUpperCase() as FloatDtype }),
      force,
      allowOverflow,
      onProgress: (done, total) => {
        progress ??= terminal.progress(megabytes(total), "MB");
        progress.update(megabytes(done));
      },
    });
    progress?.stop();
    if (json) terminal.printJson(report);
    else for (const line of describe(report, dtype, performance.now() - start)) terminal.print(line);
  } finally {
    progress?.stop();
  }
}

function describe(report: ConvertReport, dtype: string | undefined, ms: number): string[] {
  const { architecture, bytes, destination, files } = report;
  const dtypes = Object.entries(report.dtypes).map(([name, count]) => `${count} ${name}`);
  const lines = [
    `source        ${report.source} (${report.format})`,
    `architecture  ${architecture.name ?? "as the config beside it says"}${origin(architecture)}`,
    `tensors       ${report.tensors} (${dtypes.join(", ")}), ${report.parameters.toLocaleString("en")} parameters`,
  ];
  if (dtype !== undefined) {
    lines.push(`rounded       ${report.overflowed} overflowed, ${report.subnormal} became subnormal or zero`);
  }
  if (report.ignored.length > 0) lines.push(`dropped       ${report.ignored.join(", ")}`);
  if (report.leftOut.length > 0) {
    lines.push(`left out      ${report.leftOut.length} tensors that are not the model's:`);
    lines.push(...report.leftOut.map((name) => `  ${name}`));
  }
  if (report.skipped.length > 0) {
    lines.push(`not tensors   ${report.skipped.length} entries:`);
    lines.push(...report.skipped.map((name) => `  ${name}`));
  }
  const seconds = ms / 1000;
  lines.push(
    `came along    ${files.join(", ")}`,
    `written       ${destination}: ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, checked`,
  );
  return lines;
}

function origin({ from, alternatives }: ConvertReport["architecture"]): string {
  if (from === "table") return " (so open_clip's table of published models)";
  if (from !== "shapes") return "";
  const others =
    alternatives.length === 0 ? "" : `; the same in ${alternatives.join(", ")}: --arch says which`;
  return ` (told by its tensors' shapes${others})`;
}
