/**
 * Measures how fast a tokenizer loads and encodes, and the peak memory of the process.
 *
 *     node dist/bench/tokenizer.js TOKENIZER TEXTS
 *
 * TOKENIZER is a sentencepiece.bpe.model, a tokenizer.json or the English models' merges (.txt.gz). TEXTS has one JSON
 * object with a `text` per line. Prints seconds, megabytes and texts per second, including cleaning.
 */
import { readFileSync } from "node:fs";
import { createTokenizer } from "../lib/text/create-tokenizer.ts";

const [tokenizerPath, textsPath] = process.argv.slice(2);
if (tokenizerPath === undefined || textsPath === undefined) {
  throw new Error("usage: node dist/bench/tokenizer.js TOKENIZER TEXTS");
}

const contextLength = 77;
const loadStart = performance.now();
const file = { name: tokenizerPath, bytes: readFileSync(tokenizerPath) };
const tokenizer = await createTokenizer(file, { contextLength });
console.log(`load ${((performance.now() - loadStart) / 1000).toFixed(2)} s`);
console.log(`peak memory after loading ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);

const texts = readFileSync(textsPath, "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line) => (JSON.parse(line) as { text?: string }).text)
  .filter((text) => text !== undefined);

const encodeStart = process.cpuUsage();
let encoded = 0;
for (const end = performance.now() + 3000; performance.now() < end; encoded += texts.length) {
  for (const text of texts) tokenizer.encode(text);
}
const { user, system } = process.cpuUsage(encodeStart);
console.log(
  `${texts.length} different texts, ${((encoded * 1e6) / (user + system)).toFixed(0)} texts per second of CPU time`,
);
console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
