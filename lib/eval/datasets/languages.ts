/** Languages of a dataset, by the names of its files. */
import { InputError } from "../../errors/input-error.ts";
import type { DatasetFiles } from "../dataset-files.ts";

/**
 * The files of a folder whose names have a pattern, by language.
 *
 * @param pattern its first group is the language
 */
export async function filesByLanguage(
  files: DatasetFiles,
  folder: string,
  pattern: RegExp,
): Promise<Map<string, string>> {
  if ((await files.kindOf(folder)) !== "folder") return new Map();
  const names = (await files.list(folder)).filter(({ isFolder }) => !isFolder).map(({ name }) => name);
  return new Map(
    names.flatMap((name): [string, string][] => {
      const language = pattern.exec(name)?.[1];
      return language === undefined ? [] : [[language, name]];
    }),
  );
}

/** The error for a language that a dataset lacks. */
export function unknownLanguage(where: string, language: string, known: Iterable<string>): InputError {
  const all = [...known];
  return new InputError(
    `${where}: no captions in the language ${JSON.stringify(language)}; choose one of ${all.length} with --language`,
    [all.join(" ")],
  );
}
