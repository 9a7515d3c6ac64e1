/** Texts to token ids, compared with Hugging Face's tokenizers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";
import { createTokenizer } from "../../lib/text/create-tokenizer.ts";
import { naturalCaptions } from "../captions.ts";
import type { Context } from "../context.ts";
import { packageRoot } from "../result.ts";
import { inTurn, timed } from "../rounds.ts";
import type { Table } from "../table.ts";

const count = 8192;

export async function measureTokenizer({ options, model, programs, showStatus }: Context): Promise<Table[]> {
  showStatus("tokenizer");
  const path = join(packageRoot, "fixtures/tokenizer/tokenizer.json");
  const bytes = readFileSync(path);
  const { contextLength } = model.config.text;
  const ours = await createTokenizer({ name: path, bytes }, { contextLength });
  const theirs = Tokenizer.fromString(bytes.toString());
  const require = createRequire(import.meta.url);
  programs.set("tokenizers", (require("tokenizers/package.json") as { version: string }).version);
  const natural = naturalCaptions("xlm-roberta");
  const texts = Array.from({ length: count }, (_, i) => natural[i % natural.length]!.text);
  const runners = [
    {
      name: "clipscope",
      run: () =>
        timed(() => {
          for (const text of texts) ours.encode(text);
        }),
    },
    {
      name: "tokenizers",
      run: () =>
        timed(async () => {
          for (const text of texts) (await theirs.encode(text)).getIds();
        }),
    },
  ];
  for (const { run } of runners) await run(); // gives V8 time to compile
  const measured = await inTurn(runners, { ...options, atLeast: 2 });
  return [
    {
      id: "tokenizer",
      title: "tokenize captions, one at a time; clipscope cleans them too",
      columns: [
        { key: "program", title: "program" },
        { key: "perSecond", title: "texts/s" },
        { key: "ratio", title: "time ×" },
      ],
      rows: measured.map(({ seconds }, at) => ({
        program: runners[at]!.name,
        perSecond: count / seconds,
        ratio: at === 0 ? null : seconds / measured[0]!.seconds,
      })),
    },
  ];
}
