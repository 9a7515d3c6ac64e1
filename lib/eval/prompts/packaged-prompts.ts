/** CLIP_benchmark's class names and templates, which `assets/eval` holds. `tools/eval/write-prompts.ts` writes them. */
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import type { PackagedPrompts } from "./choose-prompts.ts";
import { readClassNameFile, readTemplateFile } from "./prompt-files.ts";

/** The languages with class names and templates: of ImageNet, in English of other datasets too. */
export const packagedLanguages = ["ar", "cn", "en", "it", "jp"] as const;

/** CLIP_benchmark's names of its files in one language. */
export function packagedFiles(language: string): { readonly classNames: string; readonly templates: string } {
  return {
    classNames: `${language}_classnames.json`,
    templates: `${language}_zeroshot_classification_templates.json`,
  };
}

/** ImageNet's WordNet ids. */
export const wordNetFile = "imagenet_wordnet_ids.json";

/**
 * Reads the prompts of one language.
 *
 * @param read the content of one of the packaged files
 * @throws InputError for an unknown language, with the known ones
 */
export async function readPackagedPrompts(
  language: string,
  read: (name: string) => Promise<string | Uint8Array>,
): Promise<PackagedPrompts> {
  assertPackagedLanguage(language);
  const { classNames, templates } = packagedFiles(language);
  return {
    classNames: readClassNameFile(await read(classNames), classNames),
    templates: readTemplateFile(await read(templates), templates),
    wordNetIds: JsonValue.parse(await read(wordNetFile), wordNetFile).strings(),
  };
}

function assertPackagedLanguage(language: string): void {
  if ((packagedLanguages as readonly string[]).includes(language)) return;
  const advice =
    language === "zh" ? 'Chinese is "cn" here; ' : language === "ja" ? 'Japanese is "jp" here; ' : "";
  throw new InputError(
    `--language ${language}: expected one of ${packagedLanguages.join(", ")} for CLIP_benchmark's class names; ` +
      `${advice}give --classnames and --templates for another language`,
  );
}
