/** `clipscope probe predict`: classifies images with a probe. */
import type { Command } from "commander";
import { openProbe, predictImages } from "../../lib/node/features/probes.ts";
import { examples } from "../options/option-values.ts";
import { topOption } from "../options/output-options.ts";
import {
  batchOption,
  foldersHelp,
  runOverImages,
  withModelAndImages,
  type ImageOptions,
} from "../options/with-images.ts";
import { weightsOption } from "../options/with-model.ts";
import { printScores } from "../terminal/scores-table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends Omit<ImageOptions, "exif"> {
  readonly probe: string;
  readonly top?: number;
}

export function register(probe: Command, terminal: Terminal): void {
  probe
    .command("predict")
    .description(
      `Classify images with a probe, best class first. Images are embedded like the probe's features.\n${foldersHelp}`,
    )
    .argument("<image...>", "image files and folders (- for an image on standard input)")
    .requiredOption("--probe <file>", "probe file")
    .addOption(topOption("classes"))
    .addOption(batchOption())
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope probe predict --probe probe.safetensors photo.jpg",
        "clipscope probe predict --probe probe.safetensors photos/ --json",
      ),
    )
    .action(async (paths: string[], _options: unknown, self: Command) => {
      await predict(paths, self.optsWithGlobals(), terminal);
    });
}

async function predict(paths: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const probe = await openProbe(options.probe);
  await withModelAndImages(paths, options, terminal, (model, images) =>
    runOverImages(images.length, options, terminal, (run) =>
      printScores(predictImages(model, probe, images, run), options, terminal),
    ),
  );
}
