/** `clipscope embed`: embeddings of images or texts, in a features file. */
import type { Command } from "commander";
import { findLabelledImages } from "../../lib/node/images/find-labelled-images.ts";
import type { Embedded, EmbedToFileOptions } from "../../lib/features/embed-to-file.ts";
import { embedImagesToFile, embedTextsToFile } from "../../lib/node/features/features-files.ts";
import { fileOf, type ImageSource } from "../../lib/tasks/image-source.ts";
import { placeFor } from "../../lib/node/files/output-path.ts";
import { embeddingTap } from "../../lib/tasks/embed-images.ts";
import { textTap } from "../../lib/tasks/embed-texts.ts";
import type { Pooling } from "../../lib/tasks/tapped.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { collect, examples } from "../options/option-values.ts";
import { normalizeOption, poolOption } from "../options/output-options.ts";
import { readImageList } from "../options/read-image-list.ts";
import { readLines } from "../options/read-lines.ts";
import { addImageOptions, embedOptions, runOverImages, type ImageOptions } from "../options/with-images.ts";
import { withModel } from "../options/with-model.ts";
import { printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

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
  const command = program
    .command("embed")
    .description(
      "Write embeddings of images or texts to a features file, for `clipscope probe` and other programs.\n" +
        "A folder with one subfolder per class provides labels and class names; so do WebDataset shards (.tar).\n" +
        "An interrupted run continues when started again: FILE.journal keeps its work until the file is complete.",
    )
    .usage(
      "[options] --images <path> --out <file>\n       clipscope embed [options] --texts <file> --out <file>",
    )
    .argument("[path...]", "more images, folders and shards, for example from a shell wildcard")
    .option("--images <path>", "image file, folder, shard (.tar) or pattern; may be repeated", collect)
    .option(
      "--list <file>",
      "read image files from a list, one per line, optionally followed by a tab and the class (- for standard input)",
    )
    .option("--texts <file>", "read texts from a file, one per line (- for standard input)")
    .requiredOption(
      "--out <file>",
      "features file to write (safetensors); {tap} is replaced by the tap's name",
    )
    .option(
      "--tap <name>",
      `take this module's output instead of the embedding; may be repeated, with {tap} in --out (default: ${embeddingTap} for images, ${textTap} for texts)`,
      collect,
    )
    .addOption(poolOption())
    .addOption(normalizeOption());
  addImageOptions(command)
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
    .action(async (more: string[], _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      await embed({ ...options, images: [...(options.images ?? []), ...more] }, terminal);
    });
}

async function embed(options: Options & { readonly images: string[] }, terminal: Terminal): Promise<void> {
  const { images, list, texts, json = false } = options;
  if ([images.length > 0, list !== undefined, texts !== undefined].filter(Boolean).length !== 1) {
    throw new InputError("expected one of --images, --list and --texts");
  }
  const embedded =
    texts === undefined ? await embedImages(options, terminal) : await embedTexts(texts, options, terminal);
  if (embedded === null) return;
  const results = embedded.map(({ out, rows, width }) => ({ out, rows, width }));
  if (json) terminal.printJson(results.length === 1 ? results[0] : results);
  else
    terminal.printLines(
      results.map(({ out, rows, width }) => `${printable(out)}: ${rows} rows of ${width} numbers`),
    );
}

/** @returns null if no image is found, which has been reported */
async function embedImages(
  options: Options & { readonly images: string[] },
  terminal: Terminal,
): Promise<Embedded[] | null> {
  const { images: given, list, out } = options;
  const found =
    list === undefined
      ? await findLabelledImages(given, terminal.report)
      : await readImageList(list, terminal.stdin);
  if (found.images.length === 0) return null;
  await placeFor(out, inputsOf(list, found.images));
  if (found.stray !== undefined)
    terminal.warn(
      `${found.stray}: not in a class folder, unlike other images: the features file will have no labels`,
    );
  else if (found.labels === null)
    terminal.note("no labels: not every image has a class, from its folder or its shard");
  return withModel(options, terminal, (model) =>
    runOverImages(found.images.length, options, terminal, (run) =>
      embedImagesToFile(model, found, out, { ...run, ...tapOptions(options) }),
    ),
  );
}

function* inputsOf(
  list: string | undefined,
  images: Iterable<ImageSource>,
): Generator<string | undefined, void, undefined> {
  yield list;
  for (const image of images) yield fileOf(image);
}

async function embedTexts(file: string, options: Options, terminal: Terminal): Promise<Embedded[]> {
  const { out } = options;
  await placeFor(out, [file]);
  const texts = await readLines(file, terminal.stdin);
  const { batchSize } = embedOptions(options);
  return withModel(options, terminal, (model) =>
    terminal.counting(texts.length, "texts", (onProgress) =>
      embedTextsToFile(model, texts, out, {
        ...tapOptions(options),
        ...(batchSize === undefined ? {} : { batchSize }),
        onProgress,
      }),
    ),
  );
}

function tapOptions({ tap, pool, normalize = false }: Options): EmbedToFileOptions {
  return { normalize, ...(tap === undefined ? {} : { taps: tap }), ...(pool === undefined ? {} : { pool }) };
}
