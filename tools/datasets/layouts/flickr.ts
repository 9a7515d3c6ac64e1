/** Flickr8k with Karpathy's test split: images beside `flickr8k_test_karpathy.txt`, and the Chinese captions. */
import type { GeneratedDataset, GeneratedFile } from "../generated-dataset.ts";
import type { World } from "../world.ts";

export const flickr: GeneratedDataset = {
  name: "flickr8k",
  folder: "flickr8k",
  layout: "Flickr's text files, English and Chinese",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    for (const index of world.indices)
      yield { path: nameOf(index), content: await world.image(index, "jpg") };
    yield { path: "flickr8k_test_karpathy.txt", content: lines(world, "en") };
    yield { path: "flickr8k_test_zh.txt", content: lines(world, "zh") };
  },
};

function nameOf(index: number): string {
  // The images appear in the file in the order of their numbers, which is not that of their names.
  return `${((index * 7919) % 10_007) + 1}_${index}.jpg`;
}

/** A line for each caption. Captions contain commas and end with spaces; one image has a line at the end again. */
function lines(world: World, language: "en" | "zh"): string {
  const of = (index: number, from: number, to: number): string[] => {
    const { [language]: captions } = world.captions(index);
    return captions
      .slice(from, to)
      .map((caption, i) => `${nameOf(index)},${caption}${i === 1 ? ", " : " ."}`);
  };
  const all = world.indices.flatMap((index) => of(index, 0, index === 2 ? 3 : 5));
  return ["image,caption", ...all, "", ...of(2, 3, 5)].map((line) => `${line}\n`).join("");
}
