/**
 * A folder for each class, as torchvision's ImageFolder reads it: subfolders, files that are not images, extensions in
 * capitals, images in all modes.
 */
import { phrase } from "../../demo-model/captions.ts";
import type { GeneratedDataset, GeneratedFile } from "../generated-dataset.ts";
import type { Encoding } from "../world.ts";

const encodings: readonly Encoding[] = [
  "jpg",
  "rgb-png",
  "webp",
  "palette-png",
  "jpg",
  "gray16-png",
  "rgba-png",
  "cmyk-jpg",
  "gray-alpha-png",
];

export const imageFolder: GeneratedDataset = {
  name: "shapes_folder",
  folder: "shapes_folder",
  layout: "ImageFolder, many formats",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    yield { path: "notes.txt", content: "Not an image.\n" };
    for (const index of world.indices) {
      const { colour, shape } = world.scene(index);
      const encoding = encodings[index % encodings.length]!;
      const extension = encoding.replace(/.*-/, "");
      const folder = phrase("en", { colour, shape });
      const file = `${index}.${index % 5 === 4 ? extension.toUpperCase() : extension}`;
      const inside = index % 11 === 10 ? `more/${file}` : file;
      yield { path: `test/${folder}/${inside}`, content: await world.image(index, encoding) };
      if (index === 0) yield { path: `test/${folder}/Thumbs.db`, content: "Not an image.\n" };
    }
  },
};
