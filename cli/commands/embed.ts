/** `clipscope embed`: images or texts to a features file. */
import type { Command } from "commander";
import { findLabelledImages } from "../../lib/node/images/labelled-images.ts";
import {
  embedImagesToFile,
  embedTextsToFile,
  type Embedded,
  type EmbedToFileOptions,
} from "../../lib/features/embed-to-file.ts";
import { fileOf } from "../../lib/node/images/image-source.ts";
import { placeFor } from "../../lib/node/files/write-file.ts";
import { embeddingTap } from "../../lib/tasks/embed.ts";
import { textTap } from "../../lib/tasks/embed-texts.ts";
import type { Pooling } from "../../lib/tasks/tapped.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { readImageList } from "../options/image-list.ts";
import { withModel } from "../options/model.ts";
import {
  batchOption,
  collect,
  embedOptions,
  examples,
  exifOption,
  poolOption,
  weightsOption,
  type ImageOptions,
} from "../options/options.ts";
import { printable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { readLines } from "../options/text-file.ts";

interface Options extends ImageOptions {
  readonly images?: string[];
  readonly list?: string;
  readonly texts?: string;
  readonly out: string;
  readonly tap?: string[];
  readonly pool?: Pooling;
  readonly normalize?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("embed")
    .description(
      "Writes embeddings of images or texts to a features file, for `clipscope probe` and other programs.\n" +
        "A folder with a folder for each class gives labels and class names; so do WebDataset shards (.tar).\n" +
        "Stopped and started again it continues; until it is done, FILE.journal keeps the work.",
    )
    .usage(
      "[options] --images <path> --out <file>\n       clipscope embed [options] --texts <file> --out <file>",
    )
    .argument("[path...]", "more images, folders and shards, as a shell's wildcard gives them")
    .option(
      "--images <path>",
      "image file, folder, shard (.tar) or a pattern of them; may be repeated",
      collect,
    )
    .option("--list <file>", "image files, one a line, each with a tab and its class behind if it has one")
    .option("--texts <file>", "texts, one a line")
    .requiredOption(
      "--out <file>",
      "features file to write (safetensors); {tap} in its name gives way to the tap's",
    )
    .option(
      "--tap <name>",
      `the module whose output is taken; may be repeated, with {tap} in --out (default: ${embeddingTap} or ${textTap}, the embedding)`,
      collect,
    )
    .addOption(poolOption())
    .option("--normalize", "divide each row by its L2 norm")
    .addOption(exifOption())
    .addOption(batchOption())
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope embed --images train/ --out train.safetensors",
        "clipscope embed --images train/ --out block20.safetensors \\",
        "  --tap visual.transformer.resblocks.20 --pool mean",
        "clipscope embed --images train/ --out '{tap}.safetensors' \\",
        "  --tap visual --tap visual.transformer.resblocks.20",
        "clipscope embed --images 'shards/{000..003}.tar' --out train.safetensors",
        "clipscope embed --texts captions.txt --out captions.safetensors --normalize",
      ),
    )
    .action(async (more: string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      await embed({ ...options, images: [...(options.images ?? []), ...more] }, terminal);
    });
}

async function embed(options: Options & { readonly images: string[] }, terminal: Terminal): Promise<void> {
  const { images, list, texts, json = false } = options;
  if ([images.length > 0, list !== undefined, texts !== undefined].filter(Boolean).length !== 1) {
    throw new InputError("expected --images, --list or --texts, one of the three");
  }
  const embedded =
    texts === undefined ? await embedImages(options, terminal) : await embedTexts(options, terminal);
  if (embedded === null) return;
  const results = embedded.map(({ out, rows, width }) => ({ out, rows, width }));
  if (json) terminal.printJson(results.length === 1 ? results[0] : results);
  else
    for (const { out, rows, width } of results)
      terminal.print(`${printable(out)}: ${rows} rows of ${width} numbers`);
}

/** null where no image is left, which has been reported. */
async function embedImages(
  options: Options & { readonly images: string[] },
  terminal: Terminal,
): Promise<Embedded[] | null> {
  const { images: given, list, out } = options;
  const report = (error: InputError): void => {
    terminal.report(error);
  };
  const images = list === undefined ? await findLabelledImages(given, report) : await readImageList(list);
  if (images.images.length === 0) return null;
  await placeFor(out, [list, ...images.images.map(fileOf)]);
  if (images.stray !== undefined)
    terminal.warn(`${images.stray}: lies in no class's folder, as others do: the features get no labels`);
  else if (images.labels === null)
    terminal.note("no labels: not every image has a class, by its folder or in its shard");
  return withModel(options, terminal, async (model) => {
    const progress = terminal.progress(images.images.length, "images");
    try {
      return await embedImagesToFile(model, images, out, {
        ...embedOptions(options),
        ...tapOptions(options),
        onError: report,
        onProgress: progress.update,
      });
    } finally {
      progress.stop();
    }
  });
}

/** What of the pass is taken. */
function tapOptions({ tap, pool, normalize = false }: Options): EmbedToFileOptions {
  return { normalize, ...(tap === undefined ? {} : { taps: tap }), ...(pool === undefined ? {} : { pool }) };
}

async function embedTexts(options: Options, terminal: Terminal): Promise<Embedded[]> {
  const { texts: file, out } = options;
  await placeFor(out, [file]);
  const texts = await readLines(file!, terminal.stdin);
  return withModel(options, terminal, async (model) => {
    const progress = terminal.progress(texts.length, "texts");
    try {
      return await embedTextsToFile(model, texts, out, {
        ...tapOptions(options),
        ...(options.batch === undefined ? {} : { batchSize: options.batch }),
        onProgress: progress.update,
      });
    } finally {
      progress.stop();
    }
  });
}
