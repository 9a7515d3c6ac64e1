/** The published figures that the package carries, or those of a file. */
import { readFile } from "node:fs/promises";
import { readPublished, type PublishedFigure } from "../../eval/published.ts";
import { unreadable } from "../files/file-source.ts";
import { packagedPromptPath } from "./packaged-prompts.ts";

/**
 * @param file "published", or the path of a file in the same format
 * @throws InputError if the file cannot be read or has another format
 */
export async function publishedFigures(file = "published"): Promise<PublishedFigure[]> {
  const path = file === "published" ? packagedPromptPath("published.json") : file;
  const json = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  return readPublished(json, path);
}
