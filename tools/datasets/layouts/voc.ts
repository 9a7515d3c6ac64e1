/**
 * PASCAL VOC 2007 as a multi-label dataset. Its twenty categories have the published names in the annotations; each
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

export const voc: GeneratedDataset = {
  name: "voc2007_multilabel",
  folder: "voc2007_multilabel",
  layout: "VOCdevkit with 20 categories",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    const root = "VOCdevkit/VOC2007";
    for (const index of world.indices) {
      const name = nameOf(index);
      yield { path: `${root}/JPEGImages/${name}.jpg`, content: await world.image(index, "jpg") };
      yield { path: `${root}/Annotations/${name}.xml`, content: annotation(world.scene(index), name) };
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

function annotation(scene: Scene, name: string): string {
  const objects = attributesOf(scene).flatMap((category, i) => {
    const one = object(vocCategories[category]!, i === 1);
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

/** An object. The head of a person is a `part` with a name of its own, which does not count. */
function object(category: string, isDifficult: boolean): string {
  return [
    "\t<object>",
    `\t\t<name>${category}</name>`,
    `\t\t<difficult>${isDifficult ? 1 : 0}</difficult>`,
    "\t\t<bndbox>",
    "\t\t\t<xmin>10</xmin>\n\t\t\t<ymin>12</ymin>\n\t\t\t<xmax>70</xmax>\n\t\t\t<ymax>74</ymax>",
    "\t\t</bndbox>",
    "\t\t<part>\n\t\t\t<name>head</name>\n\t\t</part>",
    "\t</object>",
  ].join("\n");
}
