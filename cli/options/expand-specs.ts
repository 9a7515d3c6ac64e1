/** The datasets that the arguments of `clipscope eval` name, each in its languages. */
import { stat } from "node:fs/promises";
import { expandCollection } from "../../lib/eval/collections.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { readLines } from "./read-lines.ts";

/** One evaluation that was asked for. */
export interface Spec {
  readonly dataset: string;
  readonly language: string;
}

/**
 * @param given names, collections, folders, and files with a name a line
 * @param languages CLIP_benchmark's codes; default: those of the collection, else "en"
 * @throws InputError if nothing is left
 */
export async function expandSpecs(
  given: readonly string[],
  languages: readonly string[] | undefined,
  stdin: AsyncIterable<Uint8Array | string>,
): Promise<Spec[]> {
  const names: string[] = [];
  for (const name of given) {
    const isFile = await stat(name).then(
      (found) => found.isFile(),
      () => false,
    );
    const lines = isFile ? await readLines(name, stdin) : [name];
    names.push(...lines.map((line) => line.trim()).filter((line) => line !== ""));
  }
  const specs = names.flatMap((name) =>
    expandCollection(name).flatMap((item) =>
      (languages ?? item.languages ?? ["en"]).map((language) => ({ dataset: item.dataset, language })),
    ),
  );
  if (specs.length > 0) return specs;
  throw new InputError(`${given.join(", ")}: expected the names of datasets, found none`);
}
