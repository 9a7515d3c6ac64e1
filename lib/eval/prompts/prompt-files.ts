/**
 * Files of class names and templates, in CLIP_benchmark's formats.
 *
 * Class names: `{ DATASET: [NAME, …] }`. Templates: `{ DATASET: [TEMPLATE, …] }`, or ready prompts for each class,
 * `{ DATASET: { NAME: [PROMPT, …] } }`, as in CuPL's `cupl_prompts.json`.
 */
import { JsonValue } from "../../json/json-value.ts";

/** Templates for all classes, or the prompts of each class by its name. */
export type Templates = readonly string[] | ReadonlyMap<string, readonly string[]>;

/** Class names by dataset. */
export interface ClassNameFile {
  readonly file: string;
  readonly datasets: ReadonlyMap<string, readonly string[]>;
}

/** Templates by dataset. */
export interface TemplateFile {
  readonly file: string;
  readonly datasets: ReadonlyMap<string, Templates>;
}

/**
 * @param json the content of the file
 * @throws InputError for another format
 */
export function readClassNameFile(json: string | Uint8Array, file: string): ClassNameFile {
  const fix = "expected class names by dataset, { DATASET: [NAME, …] }";
  const root = JsonValue.parse(json, file, { fix });
  return { file, datasets: new Map(root.entries().map(([key, names]) => [key, names.strings()])) };
}

/**
 * @param json the content of the file
 * @throws InputError for another format
 */
export function readTemplateFile(json: string | Uint8Array, file: string): TemplateFile {
  const fix =
    "expected templates by dataset, { DATASET: [TEMPLATE, …] } or { DATASET: { NAME: [PROMPT, …] } }";
  const root = JsonValue.parse(json, file, { fix });
  return { file, datasets: new Map(root.entries().map(([key, value]) => [key, readTemplates(value)])) };
}

function readTemplates(value: JsonValue): Templates {
  if (Array.isArray(value.value)) return value.strings();
  return new Map(value.entries().map(([name, prompts]) => [name, prompts.strings()]));
}
