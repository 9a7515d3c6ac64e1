/**
 * Writes CLIP_benchmark's class names and templates to assets/eval, from a checkout. The files are data under the MIT
 * licence; to check them, run this with the commit that assets/README.md names and look at `git diff`.
 *
 *     node dist/tools/eval/write-prompts.js CHECKOUT
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packagedFiles, packagedLanguages, wordNetFile } from "../../lib/eval/prompts/packaged-prompts.ts";

const target = join(import.meta.dirname, "../../../assets/eval");

/** One list a line, in UTF-8 without escapes: small, and readable in a diff. */
function compact(lists: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(lists).map(([key, list]) => `${JSON.stringify(key)}: ${JSON.stringify(list)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** The list `all_imagenet_wordnet_ids` in builder.py. */
function wordNetIds(source: string): string[] {
  const list = /^all_imagenet_wordnet_ids = \[(.*?)\]/ms.exec(source);
  const ids = list?.[1]?.match(/n\d{8}/g) ?? [];
  if (ids.length !== 1000) throw new Error(`builder.py: expected 1000 WordNet ids, found ${ids.length}`);
  return ids;
}

async function main(checkout: string | undefined): Promise<void> {
  if (checkout === undefined) throw new Error("expected the path of a checkout of LAION-AI/CLIP_benchmark");
  const folder = join(checkout, "clip_benchmark", "datasets");
  await mkdir(target, { recursive: true });
  for (const language of packagedLanguages) {
    for (const name of Object.values(packagedFiles(language))) {
      const lists = JSON.parse(await readFile(join(folder, name), "utf8")) as Record<string, unknown>;
      await writeFile(join(target, name), compact(lists));
    }
  }
  const ids = wordNetIds(await readFile(join(folder, "builder.py"), "utf8"));
  await writeFile(join(target, wordNetFile), `${JSON.stringify(ids)}\n`);
}

await main(process.argv[2]);
