/** `clipscope probe predict`: classifies images or features with a probe. */
import type { Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { readFeatures } from "../../lib/node/features/features-files.ts";
import { imageProbabilities, openProbe, predictImages } from "../../lib/node/features/probes.ts";
import { withOutput } from "../../lib/node/files/reserve-output.ts";
import { writeTogether } from "../../lib/node/files/write-file.ts";
import { featureProbabilities, predictFeatures, type ProbabilityBlock } from "../../lib/probe/predict.ts";
import { csvRows, csvTitles } from "../../lib/probe/predictions-csv.ts";
import type { Probe } from "../../lib/probe/probe.ts";
import { examples } from "../options/option-values.ts";
import { topOption } from "../options/output-options.ts";
import {
  batchOption,
  foldersHelp,
  runOverImages,
  withModelAndImages,
  type ImageOptions,
} from "../options/with-images.ts";
import { precisionOption, weightsOption } from "../options/with-model.ts";
import { printable } from "../terminal/format.ts";
import { printScores } from "../terminal/scores-table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends Omit<ImageOptions, "exif"> {
  readonly probe: string;
  readonly features?: string;
  readonly out?: string;
  readonly top?: number;
}

export function register(probe: Command, terminal: Terminal): void {
  probe
    .command("predict")
    .description(
      "Classify images or the rows of a features file with a probe, best class first.\n" +
        `Images are embedded like the probe's features. ${foldersHelp}`,
    )
    .argument("[image...]", "image files and folders (- for an image on standard input)")
    .requiredOption("--probe <file>", "probe file")
    .option("--features <file>", "instead of images: classify the rows of this features file")
    .option("--out <file>", "write the probabilities of all classes to this CSV file (- for standard output)")
    .addOption(topOption("classes"))
    .addOption(batchOption())
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe predict --probe probe.safetensors photo.jpg",
        "clipscope probe predict --probe probe.safetensors photos/ --json",
        "clipscope probe predict --probe probe.safetensors --features test.safetensors --out test.csv",
      ),
    )
    .action(async (paths: string[], _options: unknown, self: Command) => {
      await predict(paths, self.optsWithGlobals(), terminal);
    });
}

async function predict(paths: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { features, out, top, json = false } = options;
  if ((paths.length === 0) === (features === undefined)) {
    throw new InputError(
      `expected either images or --features, found ${paths.length === 0 ? "none" : "both"}`,
    );
  }
  if (out === "-" && json) throw new InputError("--out -: prints CSV, which --json excludes");
  if (out !== undefined && top !== undefined) {
    throw new InputError("--top has no effect with --out, which writes the probabilities of all classes");
  }
  const probe = await openProbe(options.probe);
  if (out === undefined) await print(probe, paths, options, terminal);
  else if (out === "-")
    await classify(probe, paths, options, terminal, (text) => {
      terminal.write(text);
    });
  else {
    await withOutput(out, [options.probe, features], async (output) => {
      let rows = 0;
      await writeTogether([output], async ([file]) => {
        rows = await classify(probe, paths, options, terminal, (text) =>
          file!.write(new TextEncoder().encode(text)),
        );
        if (rows === 0) throw new InputError(`${out}: not written, because none of the images could be read`);
      });
      const classes = probe.bias.length;
      if (json) terminal.printJson({ out, rows, classes });
      else terminal.print(`${printable(out)}: ${rows} rows, probabilities of ${classes} classes`);
    });
  }
}

async function print(
  probe: Probe,
  paths: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  if (options.features !== undefined) {
    const features = await readFeatures(options.features);
    await startNodeBackend(options.backend);
    await printScores(predictFeatures(probe, features), options, terminal);
    return;
  }
  await withModelAndImages(paths, options, terminal, (model, images) =>
    runOverImages(images.length, options, terminal, (run) =>
      printScores(predictImages(model, probe, images, run), options, terminal),
    ),
  );
}

/** Writes the predictions as CSV. Returns the number of rows. */
async function classify(
  probe: Probe,
  paths: readonly string[],
  options: Options,
  terminal: Terminal,
  write: (text: string) => Promise<void> | void,
): Promise<number> {
  const { classNames } = probe;
  let rows = 0;
  const writeAll = async (
    blocks: AsyncIterable<ProbabilityBlock> | Iterable<ProbabilityBlock>,
  ): Promise<void> => {
    for await (const block of blocks) {
      if (rows === 0) await write(csvTitles(classNames));
      for (const text of csvRows(classNames, block)) await write(text);
      rows += block.paths.length;
    }
  };
  if (options.features !== undefined) {
    const features = await readFeatures(options.features);
    await startNodeBackend(options.backend);
    await writeAll(featureProbabilities(probe, features));
    return rows;
  }
  await withModelAndImages(paths, options, terminal, (model, images) =>
    runOverImages(images.length, options, terminal, (run) =>
      writeAll(imageProbabilities(model, probe, images, run)),
    ),
  );
  return rows;
}
