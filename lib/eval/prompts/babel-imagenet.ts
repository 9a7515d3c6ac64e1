/**
 * Babel-ImageNet: translations of some of ImageNet's class names into 92 languages and English, with templates.
 *
 * Its files are not part of this package. They are `babel_imagenet.json`, `{ LANGUAGE: [[class, …], [name, …]] }`, and
 * `nllb_dist13b_prompts.json`, `{ LANGUAGE: [template, …] }` with `{}` for the name; languages are in capitals.
 * Paper: Geigle et al., 2023 (arXiv 2306.08658). Source: CLIP_benchmark, datasets/builder.py.
 */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";

const classes = 1000;

/** The classes of one language. */
export interface BabelClasses {
  /** The index of each class among ImageNet's 1,000. Labels are indices into this list. */
  readonly indices: readonly number[];
  readonly classNames: readonly string[];
}

/**
 * @param json the content of babel_imagenet.json
 * @param language as in `--language`, in capitals or not
 * @throws InputError for another format, and for an unknown language, with the known ones
 */
export function readBabelClasses(json: string | Uint8Array, file: string, language: string): BabelClasses {
  const [indices, names] = entryOf(JsonValue.parse(json, file), file, language).items();
  if (indices === undefined || names === undefined) {
    throw new InputError(`${file}: expected [class indices, class names] for ${language.toUpperCase()}`);
  }
  const found = { indices: indices.integers(0), classNames: names.strings() };
  const beyond = found.indices.find((index) => index >= classes);
  if (beyond !== undefined)
    throw new InputError(`${file}: expected classes from 0 to ${classes - 1}, found ${beyond}`);
  if (found.indices.length !== found.classNames.length || found.indices.length === 0) {
    throw new InputError(
      `${file}: expected a name for each class of ${language.toUpperCase()}, found ${found.classNames.length} for ${found.indices.length}`,
    );
  }
  return found;
}

/**
 * @param json the content of nllb_dist13b_prompts.json
 * @throws InputError as `readBabelClasses`; three languages (BR, FY, LA) have names but no templates
 */
export function readBabelTemplates(json: string | Uint8Array, file: string, language: string): string[] {
  return entryOf(JsonValue.parse(json, file), file, language).strings();
}

function entryOf(root: JsonValue, file: string, language: string): JsonValue {
  const key = language.toUpperCase();
  const entry = root.at(key);
  if (!entry.isMissing) return entry;
  const known = Object.keys(root.object()).map((one) => one.toLowerCase());
  throw new InputError(
    `${file}: no entry for the language ${JSON.stringify(language)}; it has ${known.length} languages`,
    [known.join(" ")],
  );
}
