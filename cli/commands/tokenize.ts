/** `clipscope tokenize`: the tokens of texts. Loads no weights and starts no backend. */
import type { Command } from "commander";
import type { TokenizedText } from "../../lib/text/tokenizer.ts";
import { demoModel, readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { readTokenizer } from "../../lib/node/models/read-tokenizer.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { JsonValue } from "../../lib/json/json-value.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { examples } from "../options/option-values.ts";
import { readLines } from "../options/read-lines.ts";
import { printable } from "../terminal/format.ts";
import { layOutFields } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly file?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("tokenize")
    .description("Show a text as the model's tokenizer reads it: cleaned, as pieces, as ids.")
    .argument("[text]", "text to tokenize")
    .option(
      "--file <file>",
      'read one text per line (- for standard input); in a .jsonl file, a string or {"text": …} per line',
    )
    .addHelpText(
      "after",
      examples(
        'clipscope tokenize "a photo of a cat"',
        "clipscope tokenize --file captions.txt --json",
        "echo 猫の写真 | clipscope tokenize --file -",
      ),
    )
    .action(async (text: string | undefined, _options: unknown, self: Command) => {
      await tokenize(text, self.optsWithGlobals(), terminal);
    });
}

async function tokenize(text: string | undefined, options: Options, terminal: Terminal): Promise<void> {
  const { model = demoModel, arch, file, json = false } = options;
  if ((text === undefined) === (file === undefined)) {
    throw new InputError('expected either a text (clipscope tokenize "a cat") or --file');
  }
  const texts = file === undefined ? [text!] : await readTexts(file, terminal);
  const tokenizer = await readTokenizer(await readModelDirectory(model, arch));
  if (json) {
    terminal.printJson(texts.map((given) => ({ text: given, ids: tokenizer.encode(given) })));
    return;
  }
  for (const [i, given] of texts.entries()) {
    if (i > 0) terminal.print();
    terminal.printLines(describe(tokenizer.tokenize(given), terminal));
  }
}

function describe({ cleaned, pieces, ids }: TokenizedText, { colors }: Terminal): string[] {
  return layOutFields([
    [colors.dim("text"), printable(cleaned)],
    [colors.dim("pieces"), pieces.map(printable).join(" ")],
    [colors.dim("ids"), ids.join(" ")],
  ]);
}

async function readTexts(file: string, { stdin }: Terminal): Promise<string[]> {
  const lines = await readLines(file, stdin);
  return file.endsWith(".jsonl") ? lines.map((line, i) => textOfJson(line, `${file}: line ${i + 1}`)) : lines;
}

function textOfJson(line: string, where: string): string {
  const json = JsonValue.parse(line, where);
  const isObject = typeof json.value === "object" && json.value !== null && !Array.isArray(json.value);
  const text = isObject ? json.at("text").value : json.value;
  if (typeof text !== "string") throw json.error('a string or {"text": "…"}');
  return text;
}
