/** `clipscope search`: ranks images by similarity to a text or an image. */
import type { Command } from "commander";
import { clean } from "../../lib/text/clean/clean.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { embedImage, rankImages } from "../../lib/node/images/embed-images.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { examples, positiveInteger } from "../options/option-values.ts";
import { readLines, type StandardInput } from "../options/read-lines.ts";
import {
  addImageOptions,
  embedOptions,
  foldersHelp,
  runOverImages,
  withModelAndImages,
  type ImageOptions,
} from "../options/with-images.ts";
import { printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ImageOptions {
  readonly image?: string;
  readonly top: number;
}

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("search")
    .description(
      `Rank images by cosine similarity to a text in any language, or to an image.\n${foldersHelp}`,
    )
    .usage('[options] "text" <path...>\n       clipscope search [options] --image <file> <path...>')
    .argument("[text]", "text to search for (- for standard input); omit it with --image")
    .argument("[path...]", "image files and folders")
    .option("--image <file>", "search for images similar to this one")
    .option("--top <k>", "show the best K images", positiveInteger, 10);
  addImageOptions(command)
    .addHelpText(
      "after",
      examples(
        'clipscope search "a dog on the beach" photos/',
        'clipscope search "海辺の犬" photos/ --top 3',
        "clipscope search --image dog.jpg photos/ --json",
        "clipscope search - photos/ < query.txt",
      ),
    )
    .action(async (text: string | undefined, paths: string[], _options: unknown, self: Command) => {
      await search([...(text === undefined ? [] : [text]), ...paths], self.optsWithGlobals(), terminal);
    });
}

async function search(given: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { image, top, json = false } = options;
  const paths = image === undefined ? given.slice(1) : given;
  const text = image === undefined ? await readQuery(given[0], terminal.stdin) : null;
  if (paths.length === 0 || paths.includes(""))
    throw new InputError("expected image files or folders to search in");
  await withModelAndImages(paths, options, terminal, async (model, images) => {
    const query =
      text === null
        ? await embedImage(model, image!, { normalize: true, ...embedOptions(options) })
        : await model.encodeText([text], { normalize: true });
    const matches = await disposing(query, (features) =>
      runOverImages(images.length, options, terminal, (run) => rankImages(model, features, images, run)),
    );
    const best = matches.slice(0, top);
    if (json) terminal.printJson(best);
    else
      terminal.printLines(
        best.map(({ path, similarity }) => `${similarity.toFixed(4).padStart(7)}  ${printable(path)}`),
      );
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
