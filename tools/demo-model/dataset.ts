/** The generated data set: picture number `index` of a seed is the same for training, evaluation and specs. */
import { LANGUAGES, sampleCaption } from "./captions.ts";
import type { Language } from "./captions.ts";
import { renderScene } from "./generator.ts";
import type { Raster } from "./generator.ts";
import { Random } from "./random.ts";
import { sampleScene } from "./scene.ts";
import type { Scene, Split } from "./scene.ts";

/** The sequences of random numbers of one seed and index. */
const SCENE_STREAM = 0;
const PICTURE_STREAM = 1;
const CAPTION_STREAM = 2;

export function sceneOf(seed: number, index: number, split: Split): Scene {
  return sampleScene(new Random(seed, index, SCENE_STREAM), split);
}

export function pictureOf(scene: Scene, seed: number, index: number, width: number, height: number): Raster {
  return renderScene(scene, width, height, seed, index, PICTURE_STREAM);
}

/** Some captions in every language. */
export function captionsOf(
  scene: Scene,
  seed: number,
  index: number,
  perLanguage: number,
): Record<Language, string[]> {
  const random = new Random(seed, index, CAPTION_STREAM);
  const inLanguage = (language: Language): string[] =>
    Array.from({ length: perLanguage }, () => sampleCaption(language, scene, random));
  return Object.fromEntries(LANGUAGES.map((language) => [language, inLanguage(language)])) as Record<
    Language,
    string[]
  >;
}
