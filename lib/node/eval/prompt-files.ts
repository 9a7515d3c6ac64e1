/** Files of class names and templates under Node. */
import { exists } from "../files/exists.ts";
import type { CustomPrompts } from "../../eval/tasks/class-weights.ts";
import { readClassNameFile, readTemplateFile } from "../../eval/prompts/prompt-files.ts";
import { datasetFiles } from "./dataset-files.ts";
import { packagedPromptPath } from "./packaged-prompts.ts";

/** Paths of files; a name that is not a file is one of the packaged files, `it_classnames.json` for example. */
export interface PromptPaths {
  readonly classNames?: string | undefined;
  readonly templates?: string | undefined;
}

/** @throws InputError if a file is missing, or has another format */
export async function readPromptFiles({ classNames, templates }: PromptPaths): Promise<CustomPrompts> {
  return {
    classNames: classNames === undefined ? undefined : readClassNameFile(...(await readPrompts(classNames))),
    templates: templates === undefined ? undefined : readTemplateFile(...(await readPrompts(templates))),
  };
}

async function readPrompts(file: string): Promise<[json: Uint8Array, file: string]> {
  const isPackaged = !/[/\\]/.test(file) && !(await exists(file)) && (await exists(packagedPromptPath(file)));
  return [await datasetFiles.bytes(isPackaged ? packagedPromptPath(file) : file), file];
}
