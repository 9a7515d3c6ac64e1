/**
 * An export of Winoground, with the file names of facebook/winoground on the Hugging Face Hub: `examples.jsonl` and
 * `images/ex_N_img_0.png`. The two images of an example show the same shapes, in different numbers or places.
 */
import { phrase } from "../../demo-model/captions.ts";
import { counts, positions, type Scene } from "../../demo-model/scene.ts";
import { json, type GeneratedDataset, type GeneratedFile } from "../generated-dataset.ts";
import type { Encoding } from "../world.ts";

/** The second scene of an example. */
export function changedScene(scene: Scene): Scene {
  if (scene.count !== 1) return { ...scene, count: counts[scene.count % counts.length]!, position: "centre" };
  return { ...scene, position: positions[(positions.indexOf(scene.position) + 1) % positions.length]! };
}

/** What a caption of an example says of a scene. */
export function captionOf({ colour, shape, count, position }: Scene, isPlaced: boolean): string {
  return phrase("en", { colour, shape, count, ...(isPlaced ? { position } : {}) });
}

/** Many of the published images have an alpha channel. */
const encodings: readonly Encoding[] = ["rgb-png", "rgba-png", "palette-png"];

export const winoground: GeneratedDataset = {
  name: "winoground",
  folder: "winoground",
  layout: "Winoground as an export of the hub's files",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    const examples: string[] = [];
    for (const index of world.indices) {
      const [first, second] = [world.scene(index), changedScene(world.scene(index))];
      const encoding = encodings[index % encodings.length]!;
      const [image0, image1] = [`ex_${index}_img_0`, `ex_${index}_img_1`];
      yield { path: `images/${image0}.png`, content: await world.image(index, encoding) };
      yield {
        path: `images/${image1}.png`,
        content: await world.imageOf(second, world.count + index, encoding),
      };
      const isPlaced = first.count === 1;
      examples.push(
        json({
          caption_0: captionOf(first, isPlaced),
          caption_1: captionOf(second, isPlaced),
          id: index,
          image_0: image0,
          image_1: image1,
          tag: isPlaced ? "Relation" : "Numeral",
        }),
      );
    }
    yield { path: "examples.jsonl", content: examples.join("") };
  },
};
