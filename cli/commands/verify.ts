/** `clipscope verify`: compares every tap with a golden file of the reference. */
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { syntheticClip } from "../../lib/clip/synthetic-clip.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { withOutput, type Reservation } from "../../lib/node/files/reserve-output.ts";
import { writeWhole } from "../../lib/node/files/write-file.ts";
import { Golden } from "../../lib/parity/golden.ts";
import { encodeReport } from "../../lib/parity/report-json.ts";
import { defaultTolerance, verify } from "../../lib/parity/verify.ts";
import { examples, nonNegativeNumber } from "../options/option-values.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { htmlReport } from "../terminal/parity-html.ts";
import { describeReport } from "../terminal/parity-text.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly golden: string;
  readonly tolerance?: number;
  readonly isolated?: boolean;
  readonly html?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("verify")
    .description(
      "Run the inputs of a golden file and compare the output of every module with it, in the order of the computation.\n" +
        "tools/golden/golden.py makes golden files from any OpenCLIP model. The exit status is 1 if an output differs or " +
        "is missing on either side.",
    )
    .requiredOption("--golden <file>", "golden file: inputs and activations of the reference (safetensors)")
    .option(
      "--tolerance <x>",
      `largest relative L2 error that passes (default: ${Object.entries(defaultTolerance)
        .map(([name, value]) => `${value} with ${name}`)
        .join(", ")})`,
      nonNegativeNumber,
    )
    .option("--isolated", "give each module the golden's input, so that errors do not propagate")
    .option("--html <file>", "also write an HTML report")
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        "clipscope verify --model path/to/model --golden golden.safetensors",
        "clipscope verify --model path/to/model --golden golden.safetensors --isolated --html report.html",
        "clipscope verify --golden golden.safetensors --tolerance 1e-5 --json",
      ),
    )
    .action(async (_options: unknown, self: Command) => {
      await runVerify(self.optsWithGlobals(), terminal);
    });
}

async function runVerify(options: Options, terminal: Terminal): Promise<void> {
  const { html } = options;
  if (html === undefined) await verifyGolden(options, null, terminal);
  else await withOutput(html, [options.golden], (output) => verifyGolden(options, output, terminal));
}

async function verifyGolden(options: Options, html: Reservation | null, terminal: Terminal): Promise<void> {
  const { model, arch, json = false, isolated = false } = options;
  const golden = await Golden.open(await FileSource.open(options.golden));
  try {
    const { syntheticArch } = golden;
    const isSynthetic = syntheticArch !== null && model === undefined && arch === undefined;
    await withModel(
      options,
      terminal,
      async (clip) => {
        const report = await terminal.counting(golden.taps.size, "taps", (update) => {
          let done = 0;
          const onTap = (): void => {
            update(++done);
          };
          const { tolerance } = options;
          return verify(clip, golden, { ...(tolerance !== undefined && { tolerance }), isolated, onTap });
        });
        const { description: backend } = await startNodeBackend(options.backend);
        if (html !== null) {
          await writeWhole(html, [new TextEncoder().encode(htmlReport(report, golden, backend))]);
        }
        if (json) terminal.printJson(encodeReport(report));
        else terminal.printLines(describeReport(report, golden, terminal));
        if (!report.passed) terminal.status = 1;
      },
      isSynthetic ? () => syntheticModel(syntheticArch, options) : undefined,
    );
  } finally {
    await golden.close();
  }
}

async function syntheticModel(arch: string, { backend, precision }: Options): Promise<Clip> {
  await startNodeBackend(backend);
  return syntheticClip(arch, precision);
}
