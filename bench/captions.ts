/** Token ids of natural captions: the texts of 35 to 150 characters in the tokenizer's committed table, repeated. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TextConfig } from "../lib/clip/config/clip-config.ts";
import { readTokenizer } from "../lib/node/models/read-tokenizer.ts";
import type { Context } from "./context.ts";
import { packageRoot } from "./result.ts";

export interface Caption {
  readonly text: string;
  /** With the start and end tokens. */
  readonly ids: readonly number[];
}

/** `count` captions, tokenized by the given model. Synthetic models have no tokenizer and use the table's ids. */
export async function captions({ options, model }: Context, count: number): Promise<Caption[]> {
  const natural = naturalCaptions(model.config.text.kind);
  const all = Array.from({ length: count }, (_, i) => natural[i % natural.length]!);
  if (options.model === undefined) return all;
  const tokenizer = await readTokenizer(model);
  return all.map(({ text }) => ({ text, ids: tokenizer.encode(text) }));
}

export function naturalCaptions(kind: TextConfig["kind"]): Caption[] {
  const name = kind === "clip" ? "bpe_ids.jsonl" : "ids.jsonl";
  return readFileSync(join(packageRoot, "fixtures/tokenizer", name), "utf8")
    .split("\n")
    .slice(1) // the command that made the table
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Caption)
    .filter((caption) => /^\p{L}[\p{L}\p{P}\p{N} ]{34,149}$/u.test(caption.text));
}

export function meanLength(all: readonly Caption[]): number {
  return all.reduce((sum, { ids }) => sum + ids.length, 0) / all.length;
}

/** A row of `length` ids that resembles a caption: repeats the ids between the start and end tokens. */
export function stretched(ids: readonly number[], length: number): number[] {
  const inner = ids.slice(1, -1);
  const middle = Array.from({ length: length - 2 }, (_, i) => inner[i % inner.length]!);
  return [ids[0]!, ...middle, ids.at(-1)!];
}
