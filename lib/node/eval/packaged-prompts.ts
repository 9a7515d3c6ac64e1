/** CLIP_benchmark's class names and templates under Node. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { PackagedPrompts } from "../../eval/prompts/choose-prompts.ts";
import { readPackagedPrompts } from "../../eval/prompts/packaged-prompts.ts";

const folder = new URL("../../../../assets/eval/", import.meta.url);

/** The path of a packaged file, for names of `--classnames` and `--templates` that are not files. */
export function packagedPromptPath(name: string): string {
  return fileURLToPath(new URL(name, folder));
}

/** @throws InputError for an unknown language, with the known ones */
export function packagedPrompts(language: string): Promise<PackagedPrompts> {
  return readPackagedPrompts(language, (name) => readFile(packagedPromptPath(name)));
}
