/**
 * PASCAL VOC 2007, as a multi-label dataset and as the objects in their boxes. Its twenty categories have the published names in the annotations; each
 * stands for an attribute of the scenes, whose names are in `prompts/LANG_classnames.json`.
 */
import type { Scene } from "../../demo-model/scene.ts";
import { attributesOf } from "../classes.ts";
import type { GeneratedDataset, GeneratedFile } from "../generated-dataset.ts";

/** Source: VOCdevkit, VOCinit.m */
export const vocCategories = (
  "aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant " +
  "sheep sofa train tvmonitor"
).split(" ");

const nameOf = (index: number): string => `${index + 1}`.padStart(6, "0");

function vocDataset(name: string, layout: string): GeneratedDataset {
  return {
    name,
    folder: name,
    layout,
    async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
      const root = "VOCdevkit/VOC2007";
      for (const index of world.indices) {
        const file = nameOf(index);
        yield { path: `${root}/JPEGImages/${file}.jpg`, content: await world.image(index, "jpg") };
        yield {
          path: `${root}/Annotations/${file}.xml`,
          content: annotation(world.scene(index), file, index),
        };
      }
      // 1: the image shows the category; 0: only "difficult" objects; −1: it does not. Only the names count.
      const lines = world.indices.map((index) => `${nameOf(index)} ${index % 3 === 0 ? " 1" : "-1"}\n`);
      yield { path: `${root}/ImageSets/Main/aeroplane_test.txt`, content: lines.join("") };
      yield {
        path: `${root}/ImageSets/Main/test.txt`,
        content: world.indices.map((i) => `${nameOf(i)}\n`).join(""),
      };
    },
  };
}

export const voc: readonly GeneratedDataset[] = [
  vocDataset("voc2007_multilabel", "VOCdevkit with 20 categories"),
  vocDataset("voc2007", "VOCdevkit, the objects in their boxes"),
];

function annotation(scene: Scene, name: string, index: number): string {
  const objects = attributesOf(scene).flatMap((category, i) => {
    const one = object(vocCategories[category]!, i === 1, boxOf(index + i));
    // Two objects of the same category.
    return i === 0 ? [one, one] : [one];
  });
  return [
    "<annotation>",
    "\t<folder>VOC2007</folder>",
    `\t<filename>${name}.jpg</filename>`,
    "\t<!-- <object><name>person</name></object> -->",
    ...objects,
    "</annotation>\n",
  ].join("\n");
}

/** Boxes of different sizes and proportions, most with the middle of the image; some end outside of it. */
function boxOf(key: number): readonly number[] {
  return [1 + (key % 7), 3 + (key % 5), 60 + ((key * 7) % 31), 70 + ((key * 5) % 19)];
}

/** An object. The head of a person is a `part` with a name and a box of its own, which do not count. */
function object(category: string, isDifficult: boolean, box: readonly number[]): string {
  const sides = ["xmin", "ymin", "xmax", "ymax"];
  const bounds = (indent: string, values: readonly number[]): string[] => [
    `${indent}<bndbox>`,
    ...sides.map((side, i) => `${indent}\t<${side}>${values[i]!}</${side}>`),
    `${indent}</bndbox>`,
  ];
  return [
    "\t<object>",
    `\t\t<name>${category}</name>`,
    `\t\t<difficult>${isDifficult ? 1 : 0}</difficult>`,
    ...bounds("\t\t", box),
    "\t\t<part>",
    "\t\t\t<name>head</name>",
    ...bounds("\t\t\t", [1, 2, 3, 4]),
    "\t\t</part>",
    "\t</object>",
  ].join("\n");
}
