/** The classes of a dataset as embeddings of their prompts. */
import { InputError } from "../../errors/input-error.ts";
import { sha256OfJson } from "../../features/digest.ts";
import { nameOf } from "../../tasks/image-source.ts";
import { classEmbeddings, type ClassEmbeddings } from "../../tasks/class-embeddings.ts";
import type { ClassificationDataset, MultilabelDataset } from "../dataset.ts";
import type { PreparedTexts, TextEmbeddings, TextProgress } from "../embeddings/text-embeddings.ts";
import type { PromptSummary } from "../evaluation.ts";
import { choosePrompts, type ChosenPrompts, type PackagedPrompts } from "../prompts/choose-prompts.ts";
import { classPrompts, reportNames } from "../prompts/class-prompts.ts";
import type { ClassNameFile, TemplateFile } from "../prompts/prompt-files.ts";

/** Prompts that replace those of the dataset and of CLIP_benchmark. */
export interface CustomPrompts {
  readonly classNames?: ClassNameFile | undefined;
  readonly templates?: TemplateFile | undefined;
}

/** The classes of a dataset, before anything is embedded. */
export interface PromptedClasses {
  readonly classNames: readonly string[];
  readonly templates: ChosenPrompts["templates"];
  /** The prompts of each class. */
  readonly prompts: readonly (readonly string[])[];
  readonly summary: PromptSummary;
}

/** First prompts that are shown, of the first class. */
const mostShown = 3;

/**
 * Chooses the prompts of a dataset, and checks that they fit its labels.
 *
 * @throws InputError as `choosePrompts` and `classPrompts`, and for labels outside the classes
 */
export async function promptClasses(
  dataset: ClassificationDataset | MultilabelDataset,
  custom: CustomPrompts,
  packaged: () => Promise<PackagedPrompts>,
): Promise<PromptedClasses> {
  const chosen = await choosePrompts({
    dataset: keyOf(dataset),
    own: dataset,
    customClassNames: custom.classNames,
    customTemplates: custom.templates,
    packaged,
  });
  assertLabels(dataset, chosen);
  const prompts = classPrompts(chosen);
  return {
    classNames: chosen.classNames,
    templates: chosen.templates,
    prompts,
    summary: {
      sources: chosen.sources,
      isFallback: chosen.isFallback,
      classes: prompts.length,
      prompts: prompts.reduce((sum, own) => sum + own.length, 0),
      first: prompts[0]!.slice(0, mostShown),
      names: reportNames(chosen.classNames),
      sha256: await sha256OfJson(prompts),
    },
  };
}

/** A WebDataset brings its names and templates, whether it is asked for with its prefix or without. */
function keyOf({ name, layout }: ClassificationDataset | MultilabelDataset): string {
  return layout === "webdataset" && !name.startsWith("wds/") ? `wds/${name}` : name;
}

function assertLabels(
  dataset: ClassificationDataset | MultilabelDataset,
  { classNames, sources }: ChosenPrompts,
): void {
  const names = `${classNames.length} class names (${sources.classNames})`;
  if (dataset.kind === "multilabel") {
    if (dataset.classCount === classNames.length) return;
    throw new InputError(
      `${dataset.name}: expected a class name for each of ${dataset.classCount} classes, found ${names}; correct the file or give --classnames`,
    );
  }
  const bad = dataset.labels.findIndex((label) => label !== null && label >= classNames.length);
  if (bad === -1) return;
  throw new InputError(
    `${nameOf(dataset.images[bad]!)}: the label is ${dataset.labels[bad]}, expected 0 to ${classNames.length - 1} for ${names}; ` +
      "correct the label or the class names",
  );
}

/** Embeds the classes. @returns [classes, embedDim] of norm 1 */
export async function embedClasses(
  prompts: readonly (readonly string[])[],
  texts: TextEmbeddings,
  onProgress?: TextProgress,
): Promise<{ readonly classifier: ClassEmbeddings; readonly prepared: PreparedTexts }> {
  const prepared = await texts.prepare(prompts.flat(), onProgress);
  const classifier = await classEmbeddings(prompts, async (batch) => (await texts.rows(batch)).values);
  return { classifier, prepared };
}
