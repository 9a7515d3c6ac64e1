/** `clipscope verify`: our network against a golden file of the reference, at every tap. */
import { InvalidArgumentError, type Command } from "commander";
import { syntheticClip } from "../../lib/clip/synthetic-clip.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { placeFor, writeWhole } from "../../lib/node/files/write-file.ts";
import { Golden } from "../../lib/parity/golden.ts";
import { verify, type ParityReport, type TapReport } from "../../lib/parity/verify.ts";
import { withModel } from "../options/model.ts";
import { examples, weightsOption, type ModelOptions } from "../options/options.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { htmlReport } from "../terminal/verify-html.ts";
import { describeReport } from "../terminal/verify-text.ts";

interface Options extends ModelOptions {
  readonly golden: string;
  readonly tolerance: number;
  readonly isolated?: boolean;
  readonly html?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("verify")
    .description(
      "Runs the inputs of a golden file and compares the output of every module with it, in the order of the " +
        "computation. tools/golden/golden.py makes golden files from any OpenCLIP model. The exit status is 1 if " +
        "an output is off, or missing on either side.",
    )
    .requiredOption("--golden <file>", "inputs and activations of the reference (safetensors)")
    .option("--tolerance <x>", "largest relative L2 error that passes", tolerance, 1e-4)
    .option("--isolated", "give each module the golden's input: a fault shows where it is made")
    .option("--html <file>", "write a report for browsers too")
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope verify --model path/to/model --golden golden.safetensors",
        "clipscope verify --model path/to/model --golden golden.safetensors --isolated --html report.html",
        "clipscope verify --golden golden.safetensors --tolerance 1e-5 --json",
      ),
    )
    .action(async (_options: unknown, command: Command) => {
      await run(command.optsWithGlobals(), terminal);
    });
}

function tolerance(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("Expected a number, as 1e-4.");
  }
  return value;
}

async function run(options: Options, terminal: Terminal): Promise<void> {
  const { model, arch, json = false, html, isolated = false } = options;
  if (html !== undefined) await placeFor(html, [options.golden]);
  const golden = await Golden.open(await FileSource.open(options.golden));
  try {
    const { syntheticArch } = golden;
    const isSynthetic = syntheticArch !== null && model === undefined && arch === undefined;
    await withModel(
      options,
      terminal,
      async (clip) => {
        const progress = terminal.progress(golden.taps.size, "taps");
        let report: ParityReport;
        try {
          let done = 0;
          const onTap = (): void => {
            progress.update(++done);
          };
          report = await verify(clip, golden, { tolerance: options.tolerance, isolated, onTap });
        } finally {
          progress.stop();
        }
        const { description: backend } = await startNodeBackend(options.backend);
        if (html !== undefined) {
          await writeWhole(html, [new TextEncoder().encode(htmlReport(report, golden, backend))]);
        }
        if (json) terminal.printJson(asJson(report));
        else for (const line of describeReport(report, golden, terminal)) terminal.print(line);
        if (!report.passed) terminal.status = 1;
      },
      isSynthetic ? () => syntheticClip(syntheticArch) : undefined,
    );
  } finally {
    await golden.close();
  }
}

function asJson({ passed, worst, taps, worstRatio }: ParityReport): unknown {
  return {
    passed,
    worst: tapAsJson(worst),
    taps: taps.map(tapAsJson),
    ...(worstRatio && { worstRatio: tapAsJson(worstRatio) }),
  };
}

function tapAsJson({ name, relativeL2, maxAbs, cosine, passed, missing, ratio }: TapReport): unknown {
  return {
    name,
    relativeL2,
    maxAbs,
    cosine,
    passed,
    ...(missing !== undefined && { missing }),
    ...(ratio !== undefined && { ratio }),
  };
}
