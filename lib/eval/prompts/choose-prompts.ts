/**
 * Which class names and templates a dataset is evaluated with.
 *
 * Class names: a custom file, else CLIP_benchmark's own list for a named dataset, else the dataset's own. Templates: a
 * custom file, else the dataset's own, else CLIP_benchmark's. Lists of templates without the dataset fall back to
 * those of `imagenet1k`; class names never fall back.
 * Source: CLIP_benchmark, datasets/builder.py, build_dataset.
 */
import { InputError } from "../../errors/input-error.ts";
import type { TextsFromFile } from "../dataset.ts";
import { classNameKey } from "./class-name-keys.ts";
import type { ClassNameFile, TemplateFile, Templates } from "./prompt-files.ts";

/** CLIP_benchmark's class names and templates in one language, and the languages that there are. */
export interface PackagedPrompts {
  readonly classNames: ClassNameFile;
  readonly templates: TemplateFile;
  /** The WordNet ids of ImageNet's classes, in the order of its class names. */
  readonly wordNetIds: readonly string[];
}

/** What prompts are chosen by. */
export interface PromptSources {
  /** The dataset's name, with its prefix: `imagenet1k`, `vtab/flowers`, `wds/imagenet1k`. */
  readonly dataset: string;
  /** What the dataset itself has. */
  readonly own: {
    readonly classNames: TextsFromFile | null;
    readonly templates: TextsFromFile | null;
    /** The folders of the classes in the order of the labels. */
    readonly classFolders: readonly string[] | null;
  };
  readonly customClassNames?: ClassNameFile | undefined;
  readonly customTemplates?: TemplateFile | undefined;
  /** Called only if names or templates are taken from there. */
  readonly packaged: () => Promise<PackagedPrompts>;
}

/** Class names and templates, and where each comes from. */
export interface ChosenPrompts {
  readonly classNames: readonly string[];
  readonly templates: Templates;
  /** The file and the key, for provenance. */
  readonly sources: { readonly classNames: string; readonly templates: string };
  /** Whether the templates are those of `imagenet1k` because there are none for the dataset. */
  readonly isFallback: boolean;
}

const fallbackKey = "imagenet1k";

/** @throws InputError if there are no class names or no templates for the dataset */
export async function choosePrompts(sources: PromptSources): Promise<ChosenPrompts> {
  const names = await chooseClassNames(sources);
  const templates = await chooseTemplates(sources);
  return {
    classNames: names.texts,
    templates: templates.templates,
    sources: { classNames: names.source, templates: templates.source },
    isFallback: templates.isFallback,
  };
}

/** The keys of a dataset in custom files: its name, and its name without the prefix. */
function keysOf(dataset: string): string[] {
  const match = /^(?:tfds|vtab|wds)\/(.*)$/su.exec(dataset);
  return match === null ? [dataset] : [dataset, match[1]!];
}

async function chooseClassNames({
  dataset,
  own,
  customClassNames,
  packaged,
}: PromptSources): Promise<{ readonly texts: readonly string[]; readonly source: string }> {
  if (customClassNames !== undefined) {
    const { file, datasets } = customClassNames;
    const key = keysOf(dataset).find((one) => datasets.has(one));
    if (key === undefined) {
      throw new InputError(
        `${file}: no class names for ${dataset}; expected one of the keys ${list(keysOf(dataset))}, found ${list([...datasets.keys()])}`,
      );
    }
    return { texts: datasets.get(key)!, source: `${file}, key ${key}` };
  }
  const key = classNameKey(dataset);
  if (key !== undefined) {
    const { classNames, wordNetIds } = await packaged();
    const texts = classNames.datasets.get(key);
    if (texts === undefined) {
      throw new InputError(
        `${dataset}: CLIP_benchmark has no class names for ${key} in ${classNames.file}; use another --language, or give --classnames`,
      );
    }
    const source = `${classNames.file}, key ${key}`;
    return { texts: key === fallbackKey ? ofFolders(texts, wordNetIds, own.classFolders) : texts, source };
  }
  if (own.classNames === null) {
    throw new InputError(`${dataset}: the dataset has no class names; give --classnames FILE`);
  }
  return { texts: own.classNames.texts, source: own.classNames.file };
}

/** Of ImageNet's class names those of the dataset's folders, where these are some of its WordNet ids. */
function ofFolders(
  names: readonly string[],
  wordNetIds: readonly string[],
  folders: readonly string[] | null,
): readonly string[] {
  if (folders === null || folders.length === names.length) return names;
  const nameOf = new Map(wordNetIds.map((id, c) => [id, names[c]!]));
  const chosen = folders.map((folder) => nameOf.get(folder));
  return chosen.includes(undefined) ? names : (chosen as string[]);
}

async function chooseTemplates({ dataset, own, customTemplates, packaged }: PromptSources): Promise<{
  readonly templates: Templates;
  readonly source: string;
  readonly isFallback: boolean;
}> {
  if (customTemplates === undefined && own.templates !== null) {
    return { templates: own.templates.texts, source: own.templates.file, isFallback: false };
  }
  const { file, datasets } = customTemplates ?? (await packaged()).templates;
  const keys = [...keysOf(dataset), fallbackKey];
  const key = keys.find((one) => datasets.has(one));
  if (key === undefined) {
    throw new InputError(
      `${file}: no templates for ${dataset}; expected one of the keys ${list(keys)}, found ${list([...datasets.keys()])}`,
    );
  }
  const isFallback = key === fallbackKey && !keysOf(dataset).includes(fallbackKey);
  return { templates: datasets.get(key)!, source: `${file}, key ${key}`, isFallback };
}

const mostListed = 12;

function list(keys: readonly string[]): string {
  const shown = keys.slice(0, mostListed).map((key) => JSON.stringify(key));
  return keys.length > mostListed ? `${shown.join(", ")}, … (${keys.length})` : shown.join(", ");
}
