/** The English models' merges, gzipped or not. The reader wants all 48,894 of them, so an input is large. */
import { gunzipSync, gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { packageRoot } from "../../../spec/support/paths.ts";
import { useTokenizer } from "../formats/tokenize.ts";
import { concat, mutateBytes } from "../mutate-bytes.ts";
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

/** Changes of the file as a whole: line ends, order, encoding, and the container. */
const ofFile: Mutation = (input, random) => {
  const text = textOf(input);
  const encoded = new TextEncoder().encode(text);
  switch (random.below(9)) {
    case 0:
      return new TextEncoder().encode(text.replaceAll("\n", "\r\n"));
    case 1:
      return new TextEncoder().encode(text.split("\n").reverse().join("\n"));
    case 2:
      return new TextEncoder().encode(`\ufeff${text}`);
    case 3:
      return new Uint8Array(Buffer.from(text, random.pick(["utf16le", "latin1"])));
    case 4:
      // Two members, or bytes behind the last one.
      return concat(
        gzipSync(encoded),
        random.pick([gzipSync("a b\n"), Buffer.from("rest"), new Uint8Array(8)]),
      );
    case 5:
      return mutateBytes(new Uint8Array(gzipSync(encoded)), random, input);
    case 6:
      return new Uint8Array(
        gzipSync(new Uint8Array(random.pick([1, 2 ** 20, 2 ** 25 - 1, 2 ** 25 + 1])).fill(10)),
      );
    case 7: {
      // Exactly as many lines as are used, one more, or one less.
      const lines = text.split("\n");
      return new TextEncoder().encode(lines.slice(0, 48_895 + random.below(3) - 1).join("\n"));
    }
    default:
      return new Uint8Array(gzipSync(mutateBytes(encoded, random, encoded)));
  }
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
    mutations: [inLine, inLine, ofFile, (input) => new Uint8Array(gzipSync(textOf(input)))],
    run: (input) => useTokenizer("merges.txt.gz", input),
    maxSize: 4_000_000,
  };
};
