/** The English models' merges, gzipped or not. The reader wants all 48,894 of them, so an input is large. */
import { gunzipSync, gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { packageRoot } from "../../../spec/support/paths.ts";
import { useTokenizer } from "../formats/tokenize.ts";
import type { CreateTarget, Mutation } from "../target.ts";

const inLine: Mutation = (input, random) => {
  const lines = textOf(input).split("\n");
  const at = random.below(lines.length);
  const line = lines[at]!;
  const other = random.pick(lines);
  lines[at] = random.pick([
    other,
    "",
    line.replace(" ", ""),
    `${line} x`,
    `${line}\r`,
    "a \ud800",
    "\0 \0",
    line.slice(1),
  ]);
  if (random.chance(0.2)) lines.splice(random.below(lines.length), random.below(3));
  return new TextEncoder().encode(lines.join("\n"));
};

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder().decode(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes);
  } catch {
    return "";
  }
}

export const create: CreateTarget = () => {
  const file = new Uint8Array(readFileSync(`${packageRoot}assets/bpe-merges.txt.gz`));
  return {
    seeds: [file, new Uint8Array(gunzipSync(file)), new Uint8Array(gzipSync("#version: 0.2\na b\n"))],
    mutations: [inLine, (input) => new Uint8Array(gzipSync(textOf(input)))],
    run: (input) => useTokenizer("merges.txt.gz", input),
    maxSize: 4_000_000,
  };
};
