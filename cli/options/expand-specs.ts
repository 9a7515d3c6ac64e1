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

/** CLIP_benchmark's options take several values, `--recall_k 1 5 10`; here those behind the first would be datasets. */
async function refuseValue(name: string, languages: readonly string[] | undefined): Promise<void> {
  const isNumber = /^\d+$/.test(name);
  const isLanguage = languages !== undefined && /^([a-z]{2}|[a-z]{3}_[A-Z][a-z]{3})$/.test(name);
  if (!isNumber && !isLanguage) return;
  const isThere = await stat(name).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  const example = isNumber ? `--recall-k 1 --recall-k ${name}` : `--language en --language ${name}`;
  throw new InputError(
    `${name}: expected the name of a dataset; options are repeated for several values: ${example}`,
  );
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
  for (const name of names) await refuseValue(name, languages);
  const specs = names.flatMap((name) =>
    expandCollection(name).flatMap((item) =>
      (languages ?? item.languages ?? ["en"]).map((language) => ({ dataset: item.dataset, language })),
    ),
  );
  if (specs.length > 0) return specs;
  throw new InputError(`${given.join(", ")}: expected the names of datasets, found none`);
}
