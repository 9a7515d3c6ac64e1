/** `clipscope search`: ranks images by similarity to a text or an image. */
import type { Command } from "commander";
import { clean } from "../../lib/text/clean/clean.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { findImages, imageExtensions } from "../../lib/node/images/image-files.ts";
import { embedImage } from "../../lib/tasks/embed.ts";
import { rankImages } from "../../lib/tasks/search.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { withModel } from "../options/model.ts";
import {
  batchOption,
  embedOptions,
  examples,
  exifOption,
  positiveInteger,
  weightsOption,
  type ImageOptions,
} from "../options/options.ts";
import { printable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions {
  readonly image?: string;
  readonly top: number;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("search")
    .description(
      "Ranks images by their cosine similarity to a text in any language, or to an image.\n" +
        `A folder stands for the images in it and below it (${imageExtensions.join(" ")}).`,
    )
    .usage('[options] "text" <path...>\n       clipscope search [options] --image <file> <path...>')
    .argument("[text]", "what to look for; left out with --image")
    .argument("[path...]", "image files and folders")
    .option("--image <file>", "look for images like this one")
    .option("--top <k>", "show the best K images", positiveInteger, 10)
    .addOption(exifOption())
    .addOption(batchOption())
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        'clipscope search "a dog on the beach" photos/',
        'clipscope search "海辺の犬" photos/ --top 3',
        "clipscope search --image dog.jpg photos/ --json",
      ),
    )
    .action(async (text: string | undefined, paths: string[], _options: unknown, command: Command) => {
      await search([...(text === undefined ? [] : [text]), ...paths], command.optsWithGlobals(), terminal);
    });
}

async function search(given: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { image, top, json = false } = options;
  const [text, ...rest] = given;
  const paths = image === undefined ? rest : given;
  if (image === undefined && (text === undefined || clean(text) === "")) {
    throw new InputError('expected a text to look for (clipscope search "a dog" photos/), or --image');
  }
  if (paths.length === 0) throw new InputError("expected image files or folders to search in");
  const report = (error: InputError): void => {
    terminal.report(error);
  };
  const files = await findImages(paths, report);
  if (files.length === 0) return;

  await withModel(options, terminal, async (model) => {
    const query =
      image === undefined
        ? await model.encodeText([text!], { normalize: true })
        : await embedImage(model, image, { normalize: true, ...embedOptions(options) });
    const matches = await disposing(query, async (features) => {
      const progress = terminal.progress(files.length, "images");
      try {
        return await rankImages(model, features, files, {
          ...embedOptions(options),
          onError: report,
          onProgress: progress.update,
        });
      } finally {
        progress.stop();
      }
    });
    const best = matches.slice(0, top);
    if (json) terminal.printJson(best);
    else
      for (const { path, similarity } of best)
        terminal.print(`${similarity.toFixed(4).padStart(7)}  ${printable(path)}`);
  });
}
