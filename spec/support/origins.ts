/** Models of other projects with tokenizers that fit their tiny vocabularies. */
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fixture } from "./paths.ts";

/** A vocab.txt with special tokens, some characters, and as many lines as fixtures/origins/chinese-clip has rows. */
export function chineseVocabulary(lines = 120): string {
  const pieces = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    ...Array.from("一只猫狗在草地上。，“”!?abc"),
    "##b",
    "##c",
  ];
  const filler = Array.from({ length: lines - pieces.length }, (_, i) => `[unused${i}]`);
  return `${[...pieces, ...filler].join("\n")}\n`;
}

/** Copies a model of fixtures/origins. */
export async function copyOrigin(name: string, folder: string): Promise<string> {
  await cp(fixture(`origins/${name}`), folder, {
    recursive: true,
    filter: (path) => !path.endsWith("golden.safetensors"),
  });
  return folder;
}

/** Chinese-CLIP as its repositories have it: with a vocab.txt. */
export async function chineseModel(folder: string): Promise<string> {
  await copyOrigin("chinese-clip", folder);
  await writeFile(join(folder, "vocab.txt"), chineseVocabulary());
  return folder;
}
