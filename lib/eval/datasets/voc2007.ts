/**
 * PASCAL VOC 2007 with 20 classes. `voc2007_multilabel`: an image has each class that one of its objects has. `voc2007`:
 * each object is an image of its own, cut out by its box. "Difficult" objects are included.
 *
 *     ROOT/VOCdevkit/VOC2007/ImageSets/Main/aeroplane_SPLIT.txt     the images: a name and a number a line
 *     ROOT/VOCdevkit/VOC2007/Annotations/NAME.xml
 *     ROOT/VOCdevkit/VOC2007/JPEGImages/NAME.jpg
 *
 * Source: clip_benchmark/datasets/voc2007.py, read_split, read_bndbox, PASCALVoc2007 and PASCALVoc2007Cropped.
 */
import type { Box } from "../../image/crop.ts";
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { Dataset } from "../dataset.ts";
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
  names: ["voc2007_multilabel", "voc2007"],

  async recognizes(files, folder) {
    return (await files.kindOf(joinPath(folder, root, "Annotations"))) === "folder";
  },

  async read(files, { name, folder, split = "test", language }): Promise<Dataset> {
    const list = joinPath(folder, root, "ImageSets/Main", `${classNames[0]!}_${split}.txt`);
    const names = await namesIn(files, list);
    assertInside(joinPath(folder, root), names);
    const objects: VocObject[][] = [];
    for (const one of names) {
      const path = joinPath(folder, root, "Annotations", `${one}.xml`);
      objects.push(objectsOf(await files.text(path), path));
    }
    const images = await imagesIn(
      files,
      joinPath(folder, root, "JPEGImages"),
      names.map((one) => `${one}.jpg`),
    );
    const common = {
      name,
      layout: "voc2007",
      split,
      language: language ?? null,
      convertToRgbFirst: true,
      sources: [list],
      classNames: { texts: classNames, file: "VOCdevkit" },
      templates: null,
      classFolders: null,
    };
    if (name === "voc2007") {
      const boxes = objects.flatMap((own, i) => own.map((object) => ({ ...object, file: images[i]! })));
      if (boxes.length === 0) throw new InputError(`${list}: expected images with objects, found none`);
      return {
        kind: "classification",
        ...common,
        images: boxes.map(({ file, box }) => ({ file, box })),
        labels: boxes.map(({ label }) => label),
      };
    }
    const positives = objects.map((own) => [...new Set(own.map(({ label }) => label))].sort((a, b) => a - b));
    return { kind: "multilabel", ...common, images, positives, classCount: classNames.length };
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

/** An object of an annotation. */
interface VocObject {
  readonly label: number;
  readonly box: Box;
}

/** The objects of an annotation. An object's parts, such as a person's head, have names and boxes of their own. */
function objectsOf(xml: string, path: string): VocObject[] {
  const objects = xml.replaceAll(/<!--.*?-->/gs, "").matchAll(/<object>(.*?)<\/object>/gs);
  return Array.from(objects, ([, object = ""]) => {
    const name = /^\s*<name>(.*?)<\/name>/s.exec(object)?.[1];
    const label = name === undefined ? -1 : classNames.indexOf(name);
    if (label === -1) {
      throw new InputError(
        `${path}: expected objects that begin with the name of one of the 20 classes, found ${JSON.stringify(name ?? object.slice(0, 40))}`,
      );
    }
    return { label, box: boxOf(object.replaceAll(/<part>.*?<\/part>/gs, ""), path) };
  });
}

/** Left, top, right and bottom are the first four children of the box, in this order. */
function boxOf(object: string, path: string): Box {
  const content = /<bndbox>(.*?)<\/bndbox>/s.exec(object)?.[1] ?? "";
  const sides = Array.from(content.matchAll(/<(\w+)>([^<]*)<\/\1>/g), ([, , text]) => Number(text)).slice(
    0,
    4,
  );
  const [left = NaN, top = NaN, right = NaN, bottom = NaN] = sides;
  if (sides.every(Number.isInteger) && left < right && top < bottom) return [left, top, right, bottom];
  throw new InputError(
    `${path}: expected objects with a <bndbox> of whole numbers xmin < xmax and ymin < ymax, found ${JSON.stringify(content.trim().slice(0, 80))}`,
  );
}
