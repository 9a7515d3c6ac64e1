/** Texts to token ids, beside Hugging Face's tokenizers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Tokenizer } from "tokenizers";
import { createTokenizer } from "../../lib/text/create-tokenizer.ts";
import { naturalCaptions } from "../captions.ts";
import type { Field } from "../field.ts";
import { packageRoot } from "../result.ts";
import { inTurn, timed } from "../rounds.ts";
import type { Table } from "../table.ts";

const count = 8192;

export async function measureTokenizer({ options, model, programs, note }: Field): Promise<Table[]> {
  note("tokenizer");
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
      name: "clipscope, cleaning included",
      run: () =>
        timed(() => {
          for (const text of texts) ours.encode(text);
        }),
    },
    {
      name: "Hugging Face tokenizers",
      run: () =>
        timed(async () => {
          for (const text of texts) (await theirs.encode(text)).getIds();
        }),
    },
  ];
  for (const { run } of runners) await run(); // V8 has compiled what it will by then
  const measured = await inTurn(runners, { ...options, atLeast: 2 });
  return [
    {
      id: "tokenizer",
      title: "tokenising captions, one after another, in turn",
      columns: [
        { key: "what", title: "program" },
        { key: "perSecond", title: "texts/s" },
        { key: "ratio", title: "first row ×" },
      ],
      rows: measured.map(({ seconds }, at) => ({
        what: runners[at]!.name,
        perSecond: count / seconds,
        ratio: at === 0 ? null : seconds / measured[0]!.seconds,
      })),
    },
  ];
}
