/** `clipscope tokenize`: what the tokenizer makes of texts. Needs no weights and starts no backend. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { TokenizedText } from "../lib/clip/tokenizer/tokenizer.ts";
import { unreadable } from "../lib/node/file-source.ts";
import { demoModel, readModelDirectory } from "../lib/node/model-directory.ts";
import { readTokenizer } from "../lib/node/read-tokenizer.ts";
import { InputError } from "../lib/tensor/errors.ts";
import { examples, type GlobalOptions } from "./options.ts";
import { printable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface Options extends GlobalOptions {
  readonly file?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("tokenize")
    .description("Shows a text as the model's tokenizer sees it: cleaned, in pieces, as ids.")
    .argument("[text]", "the text")
    .option(
      "--file <file>",
      'one text a line (- is standard input); in a .jsonl file a string or {"text": …} a line',
    )
    .addHelpText(
      "after",
      examples(
        'clipscope tokenize "a photo of a cat"',
        "clipscope tokenize --file captions.txt --json",
        "echo 猫の写真 | clipscope tokenize --file -",
      ),
    )
    .action(async (text: string | undefined, _options: unknown, command: Command) => {
      await tokenize(text, command.optsWithGlobals(), terminal);
    });
}

async function tokenize(text: string | undefined, options: Options, terminal: Terminal): Promise<void> {
  const { model = demoModel, arch, file, json = false } = options;
  if ((text === undefined) === (file === undefined)) {
    throw new InputError('expected a text (clipscope tokenize "a cat") or --file, one of the two');
  }
  const texts = file === undefined ? [text!] : await readTexts(file, terminal);
  const tokenizer = await readTokenizer(await readModelDirectory(model, arch));
  if (json) {
    terminal.printJson(texts.map((given) => ({ text: given, ids: tokenizer.encode(given) })));
    return;
  }
  for (const [i, given] of texts.entries()) {
    if (i > 0) terminal.print();
    for (const line of describe(tokenizer.tokenize(given), terminal)) terminal.print(line);
  }
}

function describe({ cleaned, pieces, ids }: TokenizedText, { colors }: Terminal): string[] {
  return [
    `${colors.dim("text  ")}  ${printable(cleaned)}`,
    `${colors.dim("pieces")}  ${pieces.map(printable).join(" ")}`,
    `${colors.dim("ids   ")}  ${ids.join(" ")}`,
  ];
}

/** The texts of a file, one a line: split at "\n" alone, for other separators may be part of a text. */
async function readTexts(file: string, { stdin }: Terminal): Promise<string[]> {
  const bytes =
    file === "-"
      ? await readAll(stdin)
      : await readFile(file).catch((error: unknown) => {
          throw unreadable(file, error);
        });
  const content = decode(bytes, file);
  if (content === "") return [];
  const lines = content.replace(/\n$/, "").split("\n");
  return file.endsWith(".jsonl") ? lines.map((line, i) => textOfJson(line, `${file}: line ${i + 1}`)) : lines;
}

async function readAll(stream: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    // A byte order mark is a part of the text, as for Python.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new InputError(`${file}: expected text in UTF-8`, [], { cause: error });
  }
}

function textOfJson(line: string, where: string): string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new InputError(`${where}: no valid JSON (${(error as Error).message})`);
  }
  const text = typeof value === "object" && value !== null && "text" in value ? value.text : value;
  if (typeof text === "string") return text;
  throw new InputError(`${where}: expected a string or {"text": "…"}, found ${line.slice(0, 60)}`);
}
