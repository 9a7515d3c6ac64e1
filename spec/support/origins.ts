/** Models of other projects with tokenizers that fit their tiny vocabularies. */
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { editSafetensors } from "./edit-safetensors.ts";
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

/** A tokenizer for each origin, and the rows that it needs of the word embeddings. */
const tokenizers: Readonly<
  Record<string, { readonly rows: number; readonly write: (folder: string) => Promise<void> } | undefined>
> = {
  "chinese-clip": {
    rows: 120,
    write: (folder) => writeFile(join(folder, "vocab.txt"), chineseVocabulary(120)),
  },
  "cn-clip": { rows: 120, write: (folder) => writeFile(join(folder, "vocab.txt"), chineseVocabulary(120)) },
  "clip-italian": {
    rows: 130,
    write: (folder) => writeFile(join(folder, "vocab.txt"), chineseVocabulary(130)),
  },
  // open_clip's own tokenizer, which comes along
  "clip-model": { rows: 49_408, write: () => Promise.resolve() },
  "rinna-clip": { rows: 1000, write: copySpiece },
  "rinna-cloob": { rows: 1000, write: copySpiece },
};

/** The origins that have a golden of their own weights. */
export const origins: readonly string[] = Object.keys(tokenizers);

function copySpiece(folder: string): Promise<void> {
  return cp(fixture("rinna/spiece.model"), join(folder, "spiece.model"));
}

/**
 * Copies a model of fixtures/origins and gives it a tokenizer. Word embeddings grow, by repeated rows, to the size of its
 * vocabulary.
 */
export async function completeOrigin(name: string, folder: string): Promise<string> {
  await copyOrigin(name, folder);
  const { rows, write } = tokenizers[name]!;
  await write(folder);
  const weights = join(folder, "model.safetensors");
  if (rows <= 130) return folder;
  await writeFile(
    weights,
    await editSafetensors(weights, (tensors) => {
      for (const [tensor, { shape, dtype, bytes }] of tensors) {
        if (!/(word_embeddings|token_embedding)\.weight$/.test(tensor)) continue;
        const grown = new Uint8Array(rows * (bytes.length / shape[0]!));
        for (let at = 0; at < grown.length; at += bytes.length)
          grown.set(bytes.subarray(0, grown.length - at), at);
        tensors.set(tensor, { dtype, shape: [rows, shape[1]!], bytes: grown });
      }
    }),
  );
  const file = join(folder, "config.json");
  const config = JSON.parse(await readFile(file, "utf8")) as Record<string, Record<string, unknown>>;
  const part = config["text_config_dict"] === undefined ? "text_config" : "text_config_dict";
  const ids = name === "clip-model" ? { bos_token_id: 49_406, eos_token_id: 49_407 } : {};
  config[part] = { ...config[part], vocab_size: rows, ...ids };
  await writeFile(file, JSON.stringify(config));
  return folder;
}
