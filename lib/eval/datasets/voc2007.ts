/**
 * PASCAL VOC 2007 with 20 classes. An image has each class that one of its objects has, "difficult" objects included.
 *
 *     ROOT/VOCdevkit/VOC2007/ImageSets/Main/aeroplane_SPLIT.txt     the images: a name and a number a line
 *     ROOT/VOCdevkit/VOC2007/Annotations/NAME.xml
 *     ROOT/VOCdevkit/VOC2007/JPEGImages/NAME.jpg
 *
 * CLIP_benchmark's `voc2007` classifies each object in its box, for which images would have to be cropped; `wds/voc2007`
 * holds them.
 *
 * Source: clip_benchmark/datasets/voc2007.py, read_split, read_bndbox and PASCALVoc2007.
 */
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { MultilabelDataset } from "../dataset.ts";
import { strip, universalNewlines } from "../python-text.ts";
import { assertInside, imagesIn } from "./dataset-images.ts";

const root = "VOCdevkit/VOC2007";

const classNames = (
  "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant " +
  "sheep sofa train tvmonitor"
).split(" ");

export const voc2007: DatasetReader = {
  layout: "voc2007",
  looksLike: `${root} with Annotations, ImageSets and JPEGImages`,
  names: ["voc2007_multilabel"],

  async recognizes(files, folder) {
    return (await files.kindOf(joinPath(folder, root, "Annotations"))) === "folder";
  },

  async read(files, { name, folder, split = "test", language }): Promise<MultilabelDataset> {
    if (name === "voc2007") {
      throw new InputError(
        `${name}: expected voc2007_multilabel, or wds/voc2007 for the objects in their boxes`,
      );
    }
    const list = joinPath(folder, root, "ImageSets/Main", `${classNames[0]!}_${split}.txt`);
    const names = await namesIn(files, list);
    assertInside(joinPath(folder, root), names);
    const positives: number[][] = [];
    for (const one of names) {
      const path = joinPath(folder, root, "Annotations", `${one}.xml`);
      positives.push(classesOf(await files.text(path), path));
    }
    return {
      kind: "multilabel",
      name,
      layout: "voc2007",
      split,
      language: language ?? null,
      images: await imagesIn(
        files,
        joinPath(folder, root, "JPEGImages"),
        names.map((one) => `${one}.jpg`),
      ),
      convertToRgbFirst: true,
      sources: [list],
      positives,
      classCount: classNames.length,
      classNames: { texts: classNames, file: "VOCdevkit" },
      templates: null,
      classFolders: null,
    };
  },
};

/** The number beside a name says whether it shows an aeroplane; all images count. */
async function namesIn(files: DatasetFiles, list: string): Promise<string[]> {
  if ((await files.kindOf(list)) !== "file") {
    throw new InputError(`${list}: not found; choose another --split, or unpack the archive of this split`);
  }
  const names: string[] = [];
  for (const [i, line] of universalNewlines(await files.text(list))
    .split("\n")
    .entries()) {
    if (strip(line) === "") continue;
    const parts = strip(line).split(/\s+/);
    if (parts.length !== 2)
      throw new InputError(`${list}: line ${i + 1}: expected a name and a number, found ${strip(line)}`);
    names.push(parts[0]!);
  }
  if (names.length === 0) throw new InputError(`${list}: expected names of images, found none`);
  return names;
}

/** The classes of an annotation's objects. An object's parts, such as a person's head, have names of their own. */
function classesOf(xml: string, path: string): number[] {
  const objects = xml.replaceAll(/<!--.*?-->/gs, "").matchAll(/<object>(.*?)<\/object>/gs);
  const found = new Set<number>();
  for (const [, object = ""] of objects) {
    const name = /^\s*<name>(.*?)<\/name>/s.exec(object)?.[1];
    const index = name === undefined ? -1 : classNames.indexOf(name);
    if (index === -1) {
      throw new InputError(
        `${path}: expected objects that begin with the name of one of the 20 classes, found ${JSON.stringify(name ?? object.slice(0, 40))}`,
      );
    }
    found.add(index);
  }
  return [...found].sort((a, b) => a - b);
}
