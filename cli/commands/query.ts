/** `clipscope query`: searches an index. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { ImageCopies } from "../../lib/node/retrieval/copy-images.ts";
import { lanceUri, openLanceIndex, type QueriedIndex } from "../../lib/node/retrieval/lance-index.ts";
import { openIndex } from "../../lib/node/retrieval/open-index.ts";
import type { QueryOptions } from "../../lib/node/retrieval/query-options.ts";
import { assertResultPath, resultEndings, writeResults } from "../../lib/node/retrieval/write-results.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { resultAsJson, type Found } from "../../lib/retrieval/result-text.ts";
import { withLazyModel } from "../options/index-options.ts";
import { collect, examples, positiveInteger, wholeNumber } from "../options/option-values.ts";
import { addQueryTerms, finiteNumber, termsOf, type TermOptions } from "../options/query-terms.ts";
import { weightsOption, type ModelOptions } from "../options/with-model.ts";
import { printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions, TermOptions {
  readonly in: "images" | "captions";
  readonly where?: string;
  readonly min?: number;
  readonly top?: number;
  readonly dedup?: number;
  readonly diversity?: number;
  readonly threads?: number;
  readonly table?: string;
  readonly out: readonly string[];
  readonly copy?: string;
}

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("query")
    .description(
      "Search an index: rank its rows by cosine similarity to texts in any language, images and other rows.\n" +
        "Several of them are added, each with its weight. Also searches a folder that clip-retrieval wrote.",
    )
    .argument("<dir>", "index folder, or lancedb:URI")
    .argument("[text...]", "texts to search for");
  addQueryTerms(command)
    .addOption(
      new Option("--in <what>", "what is searched").choices(["images", "captions"]).default("images"),
    )
    .option("--where <condition>", 'only rows whose metadata fulfil a condition, such as "width >= 512"')
    .option("--min <similarity>", "only rows at least this similar; without --top, all of them", finiteNumber)
    .option("--top <k>", "show the best K rows (default: 10)", positiveInteger)
    .option(
      "--dedup <similarity>",
      "leave out rows at least this similar to a better one, such as 0.94",
      finiteNumber,
    )
    .option("--diversity <d>", "0 to 1: how much results should differ from each other", unitNumber)
    .option("--threads <n>", "threads of the scan (default: one per processor)", wholeNumber)
    .option("--table <name>", "the table of LanceDB (default: images)")
    .option(
      "--out <file>",
      `write the results to a file (${resultEndings.join(" ")}; repeatable)`,
      collect,
      [],
    )
    .option("--copy <dir>", "copy the images of the results to a folder")
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        'clipscope query photos-index "a dog on the beach"',
        'clipscope query photos-index "海辺の犬" --minus "a person" --top 3 --json',
        'clipscope query photos-index --image dog.jpg "in the snow" --weight 1 --weight 0.5',
        'clipscope query photos-index "a cat" --where "width >= 512 AND caption LIKE \'%garden%\'"',
        'clipscope query photos-index "a cat" --min 0.28 --out cats.parquet --out cats.png',
        'clipscope query lancedb:s3://bucket/photos "a cat" --where "width >= 512"',
      ),
    )
    .action(async (folder: string, texts: string[], _options: unknown, self: Command) => {
      await query(folder, texts, self.optsWithGlobals(), terminal);
    });
}

async function query(
  folder: string,
  texts: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { json = false, out, copy } = options;
  for (const path of out) assertResultPath(path);
  const terms = termsOf(texts, options, terminal);
  // Files are finished even if nobody reads the standard output.
  terminal.endsWithReader = out.length === 0 && copy === undefined;
  await withLazyModel(options, terminal, async (model) => {
    const index = await openQueried(folder, options);
    try {
      const copies = copy === undefined ? null : await ImageCopies.open(copy, index);
      try {
        const list = json ? terminal.jsonList() : null;
        const results = index.query(terms, { ...queryOptions(options), model });
        const inputs = options.image.filter((file) => file !== "-");
        await writeResults(results, out, index, inputs, async (found) => {
          if (list !== null) list.add(resultAsJson(found));
          else if (out.length === 0 && copies === null) terminal.print(lineOf(found));
          await copies?.add(found).catch(terminal.report);
        });
        list?.end();
      } finally {
        await copies?.close();
      }
    } finally {
      await index.close();
    }
  });
}

/** An index folder, or a table of LanceDB. */
async function openQueried(folder: string, { threads, table }: Options): Promise<QueriedIndex> {
  const uri = lanceUri(folder);
  if (uri !== null) {
    if (threads !== undefined)
      throw new InputError("--threads requires an index folder: LanceDB has its own");
    return openLanceIndex(uri, table);
  }
  if (table !== undefined) throw new InputError("--table requires lancedb:URI");
  return openIndex(folder, threads === undefined ? {} : { threads });
}

function lineOf({ id, path, similarity }: Found): string {
  return `${similarity.toFixed(4).padStart(7)}  ${path === null ? `row ${id}` : printable(path)}`;
}

function queryOptions({ in: where, ...options }: Options): QueryOptions {
  const { where: condition, min, top, dedup, diversity } = options;
  return {
    side: where === "captions" ? "text" : "image",
    ...(condition !== undefined && { where: condition }),
    ...(min !== undefined && { min }),
    ...(top !== undefined && { top }),
    ...(dedup !== undefined && { dedup }),
    ...(diversity !== undefined && { diversity }),
  };
}

function unitNumber(text: string): number {
  const value = finiteNumber(text);
  if (value < 0 || value > 1) throw new InvalidArgumentError("Expected a number from 0 to 1.");
  return value;
}
