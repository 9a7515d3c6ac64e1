/** The generated datasets, in every layout. CLIP_benchmark's results are from tools/golden/generated_datasets.py. */
import assert from "node:assert/strict";
import { findDataset } from "../../lib/eval/find-dataset.ts";
import { datasetFiles } from "../../lib/node/eval/dataset-files.ts";
import { evaluate } from "../../lib/node/eval/evaluate.ts";
import { readPromptFiles } from "../../lib/node/eval/prompt-files.ts";
import { generatedDatasets } from "../../tools/datasets/write-datasets.ts";
import { GeneratedDatasets, goldenResults } from "./generated-datasets.ts";

const generatedImages = 16;
const results = goldenResults(generatedImages);

/** The layout that each folder of the generator has, and its images. */
const layouts: Readonly<Record<string, readonly [layout: string, images: number]>> = {
  wds_shapes: ["webdataset", generatedImages],
  wds_count: ["webdataset", generatedImages],
  wds_backgrounds: ["webdataset", generatedImages],
  wds_multilabel: ["webdataset", generatedImages],
  wds_captions: ["webdataset", generatedImages],
  shapes_folder: ["imagefolder", generatedImages],
  "imagenet1k-unverified": ["imagefolder", generatedImages],
  imagenet1k: ["imagenet-archives", generatedImages],
  imagenet_sketch: ["imagefolder", generatedImages],
  "imagenet-a": ["imagefolder", generatedImages],
  "imagenet-o": ["imagefolder", generatedImages],
  "imagenet-r": ["imagefolder", generatedImages],
  fer2013: ["imagefolder", generatedImages],
  imagenetv2: ["imagenetv2", generatedImages],
  // One shape of eight does not overlap with ImageNet's classes.
  objectnet: ["objectnet", (generatedImages / 8) * 7],
  babel_imagenet: ["babel-imagenet", generatedImages],
  mscoco_captions: ["coco", generatedImages],
  flickr8k: ["flickr", generatedImages],
  xtd10: ["xtd", generatedImages],
  multilingual_mscoco_captions: ["xtd", generatedImages],
  "flickr30k-200": ["flores", generatedImages],
  xtd200: ["flores", generatedImages],
  crossmodal3600: ["crossmodal3600", generatedImages],
  sugar_crepe: ["sugar-crepe", generatedImages],
  winoground: ["winoground", 2 * generatedImages],
  voc2007_multilabel: ["voc2007", generatedImages],
  voc2007: ["voc2007", 4 * generatedImages],
};

describe("generated datasets", () => {
  let datasets: GeneratedDatasets;

  before(async () => {
    datasets = await GeneratedDatasets.write(generatedImages);
  });

  after(async () => {
    await datasets.delete();
  });

  it("are in every layout, which is recognised by the folder alone", async () => {
    assert.deepEqual(
      generatedDatasets.map(({ folder }) => folder).sort(),
      ["prompts", ...Object.keys(layouts)].sort(),
    );
    for (const [folder, [layout, images]] of Object.entries(layouts)) {
      const { reader, request } = await findDataset(datasetFiles, datasets.data(folder));
      assert.equal(reader.layout, layout, folder);
      const name = folder === "sugar_crepe" ? "sugar_crepe/add_att" : request.name;
      const language = layout === "flores" ? { language: "eng_Latn" } : {};
      const dataset = await reader.read(datasetFiles, { ...request, ...language, name });
      assert.deepEqual([dataset.layout, dataset.images.length], [layout, images], folder);
    }
  });

  it("have results of CLIP_benchmark in every layout but two", () => {
    assert.equal(results.length, 59);
    const covered = new Set(
      results.map(({ record }) => record.dataset.replace(/\/\w+$/, "").replace("wds", "")),
    );
    const missing = Object.keys(layouts).filter((name) => !name.startsWith("wds_") && !covered.has(name));
    // An ImageFolder without a name, and a dataset that needs all of ImageNet.
    assert.deepEqual(missing, ["shapes_folder", "babel_imagenet"]);
  });

  // One of each layout and kind; the slow spec compares all of them.
  const quick = new Map([
    ["wds/count", "en"],
    ["wds/backgrounds", "en"],
    ["wds/multilabel", "en"],
    ["wds/captions", "en"],
    ["imagenet1k-unverified", "it"],
    ["imagenetv2", "en"],
    ["objectnet", "en"],
    ["mscoco_captions", "en"],
    ["flickr8k", "zh"],
    ["xtd10", "jp"],
    ["flickr30k-200", "ita_Latn"],
    ["crossmodal3600", "ja"],
    ["sugar_crepe/swap_att", "en"],
    ["winoground", "en"],
    ["voc2007_multilabel", "en"],
    ["voc2007", "en"],
    ["imagenet1k", "en"],
  ]);
  for (const [dataset, language] of quick) {
    it(`${dataset} (${language}): the figures of CLIP_benchmark`, async () => {
      const result = results.find(({ record }) => record.dataset === dataset && record.language === language);
      await datasets.compare(result!);
    });
  }

  it("shapes_folder: images of all formats are decoded", async () => {
    const result = await evaluate(datasets.model, datasets.data("shapes_folder"), {
      prompts: await readPromptFiles({
        templates: datasets.data("prompts", "en_zeroshot_classification_templates.json"),
      }),
    });
    assert.deepEqual([result.failed, result.images, result.prompts?.classes], [[], generatedImages, 8]);
    assert.ok(Number(result.metrics["acc1"]) > 0.7, `${result.metrics["acc1"]}`);
  });

  it("babel_imagenet: one pass over the images serves all languages, each with some of the classes", async () => {
    const features = datasets.file("babel");
    const counts = { en: 6, it: 5, ja: 6, zh: 4, de: 5, es: 6 };
    for (const [language, classes] of Object.entries(counts)) {
      const options = { data: datasets.data(), language, features };
      const result = await evaluate(datasets.model, "babel_imagenet", options);
      assert.equal(result.prompts?.classes, classes);
      assert.equal(result.images, (generatedImages / 8) * classes);
      assert.equal(result.decoded, language === "en" ? generatedImages : 0);
      assert.ok(Number(result.metrics["acc1"]) > 0.8, `${language}: ${result.metrics["acc1"]}`);
    }
    await assert.rejects(
      evaluate(datasets.model, "babel_imagenet", { data: datasets.data(), language: "xx" }),
      {
        name: "InputError",
        message: /babel_imagenet\.json: no entry for the language "xx"; it has 7 languages/,
      },
    );
    await assert.rejects(
      evaluate(datasets.model, "babel_imagenet", { data: datasets.data(), language: "fr" }),
      {
        name: "InputError",
        message: /nllb_dist13b_prompts\.json: no entry for the language "fr"/,
      },
    );
  });
});
