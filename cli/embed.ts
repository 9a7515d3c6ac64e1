/** `clipscope embed`: images or texts to a features file. */
import { Option, type Command } from "commander";
import { findLabelledImages } from "../lib/node/labelled-images.ts";
import { embedImagesToFile, embedTextsToFile, type Embedded } from "../lib/probe/embed-to-file.ts";
import { embeddingTap, type Pooling } from "../lib/tasks/embed.ts";
import { InputError } from "../lib/tensor/errors.ts";
import { readImageList } from "./image-list.ts";
import { withModel } from "./model.ts";
import {
  batchOption,
  collect,
  embedOptions,
  examples,
  exifOption,
  weightsOption,
  type ImageOptions,
} from "./options.ts";
import { printable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { readLines } from "./text-file.ts";

interface Options extends ImageOptions {
  readonly images?: string[];
  readonly list?: string;
  readonly texts?: string;
  readonly out: string;
  readonly tap?: string;
  readonly pool?: Pooling;
  readonly normalize?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("embed")
    .description(
      "Writes embeddings of images or texts to a features file, for `clipscope probe` and other programs.\n" +
        "A folder with a folder for each class gives labels and class names.\n" +
        "Stopped and started again it continues; until it is done, FILE.journal keeps the work.",
    )
    .usage(
      "[options] --images <path> --out <file>\n       clipscope embed [options] --texts <file> --out <file>",
    )
    .argument("[path...]", "more images and folders, as a shell's wildcard gives them")
    .option("--images <path>", "image file or folder; may be repeated", collect)
    .option("--list <file>", "image files, one a line, each with a tab and its class behind if it has one")
    .option("--texts <file>", "texts, one a line")
    .requiredOption("--out <file>", "features file to write (safetensors)")
    .option("--tap <name>", `the module whose output is taken (default: ${embeddingTap}, the embedding)`)
    .addOption(
      new Option(
        "--pool <how>",
        "of a tap with a vector for each token, take the class token or the patches' mean (default: class)",
      ).choices(["class", "mean"]),
    )
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
        "clipscope embed --texts captions.txt --out captions.safetensors --normalize",
      ),
    )
    .action(async (more: string[], _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      await embed({ ...options, images: [...(options.images ?? []), ...more] }, terminal);
    });
}

async function embed(options: Options & { readonly images: string[] }, terminal: Terminal): Promise<void> {
  const { images, list, texts, out, json = false } = options;
  if ([images.length > 0, list !== undefined, texts !== undefined].filter(Boolean).length !== 1) {
    throw new InputError("expected --images, --list or --texts, one of the three");
  }
  const embedded =
    texts === undefined ? await embedImages(options, terminal) : await embedTexts(options, terminal);
  if (embedded === null) return;
  const { rows, width } = embedded;
  if (json) terminal.printJson({ out, rows, width });
  else terminal.print(`${printable(out)}: ${rows} rows of ${width} numbers`);
}

/** null where no image is left, which has been reported. */
async function embedImages(
  options: Options & { readonly images: string[] },
  terminal: Terminal,
): Promise<Embedded | null> {
  const { images: given, list, out, tap, pool, normalize = false } = options;
  const report = (error: InputError): void => {
    terminal.report(error);
  };
  const images = list === undefined ? await findLabelledImages(given, report) : await readImageList(list);
  if (images.paths.length === 0) return null;
  if (images.labels === null) terminal.note("no labels: not every image lies in a folder of its class");
  return withModel(options, terminal, async (model) => {
    const progress = terminal.progress(images.paths.length, "images");
    try {
      return await embedImagesToFile(model, images, out, {
        ...embedOptions(options),
        normalize,
        ...(tap === undefined ? {} : { tap }),
        ...(pool === undefined ? {} : { pool }),
        onError: report,
        onProgress: progress.update,
      });
    } finally {
      progress.stop();
    }
  });
}

async function embedTexts({ texts: file, ...options }: Options, terminal: Terminal): Promise<Embedded> {
  const { tap, pool, out, normalize = false } = options;
  if (tap !== undefined || pool !== undefined) {
    throw new InputError("--tap and --pool are for images; of texts the embedding is taken");
  }
  const texts = await readLines(file!, terminal.stdin);
  return withModel(options, terminal, async (model) => {
    const progress = terminal.progress(texts.length, "texts");
    try {
      return await embedTextsToFile(model, texts, out, {
        normalize,
        ...(options.batch === undefined ? {} : { batchSize: options.batch }),
        onProgress: progress.update,
      });
    } finally {
      progress.stop();
    }
  });
}
