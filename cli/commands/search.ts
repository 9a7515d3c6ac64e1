/** `clipscope search`: ranks images by similarity to a text or an image. */
import type { Tensor2D } from "@tensorflow/tfjs-core";
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { embeddingOptions } from "../../lib/features/origin.ts";
import { openSearch } from "../../lib/node/features/features-files.ts";
import type { Match } from "../../lib/tasks/search.ts";
import { clean } from "../../lib/text/clean/clean.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { embedImage, rankImages } from "../../lib/node/images/embed-images.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { examples, positiveInteger } from "../options/option-values.ts";
import { readLines, type StandardInput } from "../options/read-lines.ts";
import {
  addImageOptions,
  assertOneStandardInput,
  embedOptions,
  foldersHelp,
  runOverImages,
  standardInputImage,
  withModelAndImages,
  type ImageOptions,
} from "../options/with-images.ts";
import { withModel } from "../options/with-model.ts";
import { printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions {
  readonly image?: string;
  readonly features?: string;
  readonly top: number;
}

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("search")
    .description(
      `Rank images by cosine similarity to a text in any language, or to an image.\n${foldersHelp}`,
    )
    .usage(
      '[options] "text" <path...>\n' +
        "       clipscope search [options] --image <file> <path...>\n" +
        '       clipscope search [options] "text" --features <file>',
    )
    .argument("[text]", "text to search for (- for standard input); omit it with --image")
    .argument("[path...]", "image files and folders")
    .option("--image <file>", "search for images similar to this one (- for standard input)")
    .option("--features <file>", 'search in the images of a features file, which "clipscope embed" wrote')
    .option("--top <k>", "show the best K images", positiveInteger, 10);
  addImageOptions(command)
    .addHelpText(
      "after",
      examples(
        'clipscope search "a dog on the beach" photos/',
        'clipscope search "海辺の犬" photos/ --top 3',
        "clipscope search --image dog.jpg photos/ --json",
        "clipscope search - photos/ < query.txt",
        'clipscope search "a dog on the beach" --features photos.safetensors',
      ),
    )
    .action(async (text: string | undefined, paths: string[], _options: unknown, self: Command) => {
      await search([...(text === undefined ? [] : [text]), ...paths], self.optsWithGlobals(), terminal);
    });
}

async function search(given: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { image, features, top, json = false } = options;
  const paths = image === undefined ? given.slice(1) : given;
  assertOneStandardInput([image, ...given]);
  const text = image === undefined ? await readQuery(given[0], terminal.stdin) : null;
  if (features === undefined ? paths.length === 0 || paths.includes("") : paths.length > 0) {
    throw new InputError(
      "expected image files or folders to search in, or a features file (--features), but not both",
    );
  }
  const show = (matches: readonly Match[]): void => {
    if (json) terminal.printJson(matches);
    else
      terminal.printLines(
        matches.map(({ path, similarity }) => `${similarity.toFixed(4).padStart(7)}  ${printable(path)}`),
      );
  };
  const encodeQuery = (model: Clip, exifOrientation?: boolean): Promise<Tensor2D> => {
    if (text !== null) return model.encodeText([text], { normalize: true });
    const settings = {
      ...embedOptions(options),
      ...(exifOrientation === undefined ? {} : { exifOrientation }),
    };
    const query = image === "-" ? standardInputImage(terminal) : image!;
    return embedImage(model, query, { normalize: true, ...settings });
  };

  if (features !== undefined) {
    await withModel(options, terminal, async (model) => {
      const file = await openSearch(features, model);
      try {
        const { exifOrientation } = embeddingOptions(file.metadata);
        const query = await disposing(await encodeQuery(model, exifOrientation), (tensor) =>
          tensor.data<"float32">(),
        );
        show(
          await terminal.counting(file.rows, "rows", (onProgress) => file.search(query, top, { onProgress })),
        );
      } finally {
        await file.close();
      }
    });
    return;
  }
  await withModelAndImages(paths, options, terminal, async (model, images) => {
    const matches = await disposing(await encodeQuery(model), (query) =>
      runOverImages(images.length, options, terminal, (run) =>
        rankImages(model, query, images, { ...run, top }),
      ),
    );
    show(matches);
  });
}

/** @throws InputError if the text is missing or blank */
async function readQuery(given: string | undefined, stdin: StandardInput): Promise<string> {
  const [text = "", ...more] = given === "-" ? await readLines("-", stdin) : [given ?? ""];
  if (more.length > 0) {
    throw new InputError(
      `standard input: expected one line of text to search for, found ${more.length + 1} lines`,
    );
  }
  if (clean(text) !== "") return text;
  throw new InputError('expected a text to search for (clipscope search "a dog" photos/), or --image');
}
