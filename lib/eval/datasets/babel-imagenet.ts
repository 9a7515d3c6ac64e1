/**
 * Babel-ImageNet: ImageNet's validation images of the classes that have a name in a language.
 *
 *     ROOT/val/WNID/*.JPEG                  1,000 folders
 *     ROOT/babel_imagenet.json              { LANGUAGE: [[class, …], [name, …]] }
 *     ROOT/nllb_dist13b_prompts.json        { LANGUAGE: [template, …] }
 *
 * Both JSON files are in clip_benchmark/datasets. All images are listed in all languages, so that they are embedded once;
 * those of other classes have no label.
 *
 * Source: clip_benchmark/datasets/builder.py, "babel_imagenet"; babel_imagenet.py, BabelImageNet.
 */
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { ClassificationDataset } from "../dataset.ts";
import { readBabelClasses, readBabelTemplates } from "../prompts/babel-imagenet.ts";
import { imageFolder } from "./image-folder.ts";

const namesFile = "babel_imagenet.json";
const templatesFile = "nllb_dist13b_prompts.json";

export const babelImageNet: DatasetReader = {
  layout: "babel-imagenet",
  looksLike: `val/WNID, ${namesFile} and ${templatesFile}`,
  names: ["babel_imagenet"],

  async recognizes(files, folder) {
    return (await files.kindOf(joinPath(folder, namesFile))) === "file";
  },

  async read(files, request): Promise<ClassificationDataset> {
    const { name, folder, language = "en" } = request;
    const names = await fileOf(files, folder, namesFile);
    const templates = await fileOf(files, folder, templatesFile);
    const { indices, classNames } = readBabelClasses(await files.text(names), names, language);
    const texts = readBabelTemplates(await files.text(templates), templates, language);
    const all = (await imageFolder.read(files, request)) as ClassificationDataset;
    const folders = all.classFolders!.length;
    const beyond = indices.find((index) => index >= folders);
    if (beyond !== undefined) {
      throw new InputError(
        `${folder}: expected ImageNet's 1,000 classes, found ${folders} folders; ${namesFile} has class ${beyond} for ${language}`,
      );
    }
    const labelOf = new Map(indices.map((index, label) => [index, label]));
    return {
      ...all,
      name,
      layout: "babel-imagenet",
      language,
      sources: [names, templates],
      labels: all.labels.map((index) => labelOf.get(index!) ?? null),
      classNames: { texts: classNames, file: names },
      templates: { texts, file: templates },
      classFolders: null,
    };
  },
};

async function fileOf(files: DatasetFiles, folder: string, name: string): Promise<string> {
  const path = joinPath(folder, name);
  if ((await files.kindOf(path)) === "file") return path;
  throw new InputError(`${path}: not found; copy it from clip_benchmark/datasets in CLIP_benchmark`);
}
