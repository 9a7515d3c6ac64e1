/** The generated data set: image number `index` of a seed is the same for training, evaluation and specs. */
import { languages, sampleCaption } from "./captions.ts";
import type { Language } from "./captions.ts";
import { renderScene } from "./generator.ts";
import type { Raster } from "./generator.ts";
import { Random } from "./random.ts";
import { sampleScene } from "./scene.ts";
import type { Scene, Split } from "./scene.ts";

/** The streams of random numbers for one seed and index. */
const sceneStream = 0;
const imageStream = 1;
const captionStream = 2;

export function sceneOf(seed: number, index: number, split: Split): Scene {
  return sampleScene(new Random(seed, index, sceneStream), split);
}

export function imageOf(scene: Scene, seed: number, index: number, width: number, height: number): Raster {
  return renderScene(scene, width, height, seed, index, imageStream);
}

/** Random captions in every language. */
export function captionsOf(
  scene: Scene,
  seed: number,
  index: number,
  perLanguage: number,
): Record<Language, string[]> {
  const random = new Random(seed, index, captionStream);
  const inLanguage = (language: Language): string[] =>
    Array.from({ length: perLanguage }, () => sampleCaption(language, scene, random));
  return Object.fromEntries(languages.map((language) => [language, inLanguage(language)])) as Record<
    Language,
    string[]
  >;
}
