/** The classes of the generated datasets, and their names and templates in CLIP_benchmark's files. */
import { labelTemplates, languages, phrase, type Language, type Parts } from "../demo-model/captions.ts";
import { backgrounds, colours, counts, shapes, type Scene, type Shape } from "../demo-model/scene.ts";
import { allPairs, heldOutPairs } from "./world.ts";

/** CLIP_benchmark's codes of the languages in the names of its class name and template files. */
export const classNameCodes: Readonly<Record<Language, string>> = {
  en: "en",
  it: "it",
  ja: "jp",
  zh: "cn",
  de: "de",
  es: "es",
  fr: "fr",
};

/** Classes of a multi-label dataset: as many as VOC's categories. An image has one of each group. */
export const attributes: readonly Parts[] = [
  ...colours.map((colour) => ({ colour })),
  ...shapes.map((shape) => ({ shape })),
  ...counts.map((count) => ({ count })),
];

/** The attributes of a scene, as indices. */
export function attributesOf({ colour, shape, count }: Scene): number[] {
  return attributes.flatMap((one, i) =>
    one.colour === colour || one.shape === shape || one.count === count ? [i] : [],
  );
}

export const countClasses: readonly Parts[] = counts.map((count) => ({ count }));
export const shapeClasses: readonly Parts[] = shapes.map((shape) => ({ shape }));
export const backgroundClasses: readonly Parts[] = backgrounds.map((background) => ({ background }));

/** ObjectNet's name of the folder of a shape. */
export function objectNetFolder(shape: Shape): string {
  return `${shape.slice(1)}_${shape[0]!}`;
}

/** The shapes that overlap with ImageNet's classes, in the order of their folders, which is that of the labels. */
export const objectNetShapes: readonly Shape[] = shapes
  .filter((shape) => shape !== "ring")
  .sort((a, b) => (objectNetFolder(a) < objectNetFolder(b) ? -1 : 1));

/** A class that no image of the multi-label WebDataset has. */
const unseen = allPairs.find((pair) => !heldOutPairs.includes(pair))!;
export const attributesAndUnseen: readonly Parts[] = [...attributes, unseen];

/**
 * Class names of a dataset in a language. Those of "backgrounds" repeat a name and contain a blank one, as CLIP_benchmark's
 * do.
 */
export function classNames(dataset: ClassNamed, language: Language): string[] {
  const names = classesOf[dataset].map((parts) => phrase(language, parts));
  return dataset === "backgrounds" ? [...names, names[0]!, ""] : names;
}

/** Templates with `{c}`: sentences for names of colour and shape, else the name alone. */
export function templates(dataset: ClassNamed, language: Language): string[] {
  const isLabel = classesOf[dataset].every(
    ({ colour, shape }) => colour !== undefined && shape !== undefined,
  );
  return (isLabel ? labelTemplates(language) : ["{}"]).map((template) => template.replace("{}", "{c}"));
}

const classesOf = {
  shapes: allPairs,
  count: countClasses,
  backgrounds: backgroundClasses,
  multilabel: attributesAndUnseen,
  imagenet1k: heldOutPairs,
  "imagenet1k-unverified": heldOutPairs,
  imagenet_sketch: heldOutPairs,
  "imagenet-a": heldOutPairs,
  "imagenet-o": heldOutPairs,
  "imagenet-r": heldOutPairs,
  imagenetv2: allPairs,
  objectnet: objectNetShapes.map((shape): Parts => ({ shape })),
  fer2013: shapeClasses,
  voc2007_multilabel: attributes,
  voc2007: attributes,
} satisfies Readonly<Record<string, readonly Parts[]>>;

/** The datasets with class names. */
export type ClassNamed = keyof typeof classesOf;

/** All datasets' class names, as in LANG_classnames.json. */
export function allClassNames(language: Language): Record<string, string[]> {
  return perDataset((dataset) => classNames(dataset, language));
}

/** All datasets' templates, as in LANG_zeroshot_classification_templates.json. */
export function allTemplates(language: Language): Record<string, string[]> {
  return perDataset((dataset) => templates(dataset, language));
}

/** Ready prompts for each class, as in cupl_prompts.json: class name → prompts. */
export function classPrompts(): Record<string, Record<string, string[]>> {
  const prompts = heldOutPairs.map((parts): [string, string[]] => [
    phrase("en", parts),
    languages.map((language) => phrase(language, { ...parts, count: 1 })),
  ]);
  return { imagenet1k: Object.fromEntries(prompts) };
}

function perDataset(of: (dataset: ClassNamed) => string[]): Record<string, string[]> {
  return Object.fromEntries(
    (Object.keys(classesOf) as ClassNamed[]).map((dataset) => [dataset, of(dataset)]),
  );
}
