/**
 * Retrieval datasets in many languages, with one caption for each image and language: XTD10, XTD200, Flickr30k-200 and
 * Crossmodal-3600.
 */
import { languages, type Language } from "../../demo-model/captions.ts";
import { json, type GeneratedDataset, type GeneratedFile } from "../generated-dataset.ts";
import type { World } from "../world.ts";

/** XTD's codes. */
const xtdCodes: Readonly<Record<Language, string>> = {
  en: "en",
  it: "it",
  ja: "jp",
  zh: "zh",
  de: "de",
  es: "es",
  fr: "fr",
};

/** Codes of FLORES-200. */
const floresCodes: Readonly<Record<Language, string>> = {
  en: "eng_Latn",
  it: "ita_Latn",
  ja: "jpn_Jpan",
  zh: "zho_Hans",
  de: "deu_Latn",
  es: "spa_Latn",
  fr: "fra_Latn",
};

const nameOf = (index: number): string => `COCO_test_${`${index}`.padStart(12, "0")}.jpg`;

async function* images(
  world: World,
  folder: string,
  name: (index: number) => string = nameOf,
): AsyncGenerator<GeneratedFile, void, undefined> {
  for (const index of world.indices) {
    yield { path: `${folder}/${name(index)}`, content: await world.image(index, "jpg") };
  }
}

function firstCaptions(world: World, language: Language): string[] {
  return world.indices.map((index) => world.captions(index)[language][0]!);
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join("");
}

/** CLIP_benchmark's annotations: image paths as they were seen from where it ran. */
function annotations(
  world: World,
  language: Language,
  folder: string,
  indices: "indices" | "indicies",
): string {
  return json({
    image_paths: world.indices.map((index) => `${folder}/${nameOf(index)}`),
    annotations: firstCaptions(world, language),
    [indices]: world.indices,
  });
}

const xtd10: GeneratedDataset = {
  name: "xtd10",
  folder: "xtd10",
  layout: "XTD10: CLIP_benchmark's JSON in seven languages",
  async *files(world) {
    yield* images(world, "xtd10/images");
    for (const language of languages) {
      const path = `xtd10-${xtdCodes[language]}.json`;
      yield { path, content: annotations(world, language, "root/xtd10/images", "indices") };
    }
  },
};

const multilingualCoco: GeneratedDataset = {
  name: "multilingual_mscoco_captions",
  folder: "multilingual_mscoco_captions",
  layout: "XTD10: the text files it is published as",
  async *files(world) {
    yield* images(world, "multilingual_mscoco/images");
    yield { path: "multilingual_mscoco/test_image_names.txt", content: lines(world.indices.map(nameOf)) };
    for (const language of languages) {
      const path = `multilingual_mscoco/test_1kcaptions_${xtdCodes[language]}.txt`;
      yield { path, content: lines(firstCaptions(world, language)) };
    }
    const english = annotations(world, "en", "multilingual_mscoco/images", "indicies");
    yield { path: "multilingual_mscoco_captions-en.json", content: english };
  },
};

/** @param list the file with the images' names */
function flores(name: string, list: string, layout: string): GeneratedDataset {
  return {
    name,
    folder: name,
    layout,
    async *files(world) {
      yield* images(world, `${name}/images`);
      yield { path: `${name}/${list}`, content: lines(world.indices.map(nameOf)) };
      for (const language of languages) {
        const path = `${name}/${floresCodes[language]}.txt`;
        yield { path, content: lines(firstCaptions(world, language)) };
      }
    },
  };
}

const crossmodal3600: GeneratedDataset = {
  name: "crossmodal3600",
  folder: "crossmodal3600",
  layout: "Crossmodal-3600's captions.jsonl",
  async *files(world) {
    const keyOf = (index: number): string => `${index * 2654435761}`.padStart(16, "0");
    yield* images(world, "xm3600/images", (index) => `${keyOf(index)}.jpg`);
    const items = world.indices.map((index) => {
      const captions = Object.entries(world.captions(index)).map(([language, texts]) => [
        language,
        // Two or three captions, of which the first is used.
        { caption: texts.slice(0, 2 + (index % 2)), "caption/tokenized": texts.slice(0, 2 + (index % 2)) },
      ]);
      return json({ "image/key": keyOf(index), "image/locale": "en", ...Object.fromEntries(captions) });
    });
    yield { path: "xm3600/captions.jsonl", content: items.join("") };
  },
};

export const multilingual: readonly GeneratedDataset[] = [
  xtd10,
  multilingualCoco,
  flores("flickr30k-200", "filenames.txt", "Flickr30k-200's text files"),
  flores("xtd200", "test_image_names.txt", "XTD200's text files"),
  crossmodal3600,
];
