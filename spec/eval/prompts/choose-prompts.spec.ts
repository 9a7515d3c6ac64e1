import assert from "node:assert/strict";
import { choosePrompts, type PromptSources } from "../../../lib/eval/prompts/choose-prompts.ts";
import { packagedPrompts } from "../../../lib/node/eval/packaged-prompts.ts";

const none = { classNames: null, templates: null, classFolders: null };
const own = {
  ...none,
  classNames: { texts: ["x", "y"], file: "classnames.txt" },
  templates: { texts: ["own {c}"], file: "templates.txt" },
};

function choose(dataset: string, options: Partial<PromptSources> & { readonly language?: string } = {}) {
  const { language = "en", ...rest } = options;
  return choosePrompts({ dataset, own: none, packaged: () => packagedPrompts(language), ...rest });
}

const names = (datasets: Record<string, string[]>) => ({
  file: "names.json",
  datasets: new Map(Object.entries(datasets)),
});
const templates = names;

describe("choosePrompts", () => {
  it("takes CLIP_benchmark's names and templates for its datasets", async () => {
    const { classNames, templates, sources, isFallback } = await choose("imagenet1k");
    assert.deepEqual([classNames.length, classNames[0], classNames[999]], [1000, "tench", "toilet paper"]);
    assert.ok(Array.isArray(templates) && templates.length === 80);
    assert.deepEqual(sources, {
      classNames: "en_classnames.json, key imagenet1k",
      templates: "en_zeroshot_classification_templates.json, key imagenet1k",
    });
    assert.equal(isFallback, false);
  });

  it("finds VTAB's datasets by their short names", async () => {
    const chosen = await choose("vtab/clevr_count_all");
    assert.equal(chosen.classNames[0], "three");
    assert.match(chosen.sources.templates, /key clevr_count_all$/);
    assert.match((await choose("vtab/caltech101")).sources.classNames, /key caltech101_vtab$/);
  });

  it("falls back to ImageNet's templates, never to its names", async () => {
    const chosen = await choose("imagenetv2");
    assert.equal(chosen.isFallback, true);
    assert.match(chosen.sources.templates, /key imagenet1k$/);
    await assert.rejects(
      choose("imagenette"),
      /imagenette: the dataset has no class names; give --classnames/,
    );
  });

  it("takes the names of the WordNet ids that imagenet-a has, in their order", async () => {
    const { classNames } = await choose("imagenet-a", {
      own: { ...none, classFolders: ["n01443537", "n01440764"] },
    });
    assert.deepEqual(classNames, ["goldfish", "tench"]);
  });

  it("keeps a WebDataset's own names and templates, in every language", async () => {
    const chosen = await choose("wds/imagenet1k", { own, language: "tlh" });
    assert.deepEqual(chosen.classNames, ["x", "y"]);
    assert.deepEqual(chosen.templates, ["own {c}"]);
    assert.deepEqual(chosen.sources, { classNames: "classnames.txt", templates: "templates.txt" });
  });

  it("replaces them by custom files, under the dataset's name with or without its prefix", async () => {
    const chosen = await choose("wds/imagenet1k", {
      own,
      customClassNames: names({ imagenet1k: ["short"], "wds/imagenet1k": ["long"] }),
      customTemplates: templates({ imagenet1k: ["short {c}"] }),
    });
    assert.deepEqual(chosen.classNames, ["long"]);
    assert.deepEqual(chosen.templates, ["short {c}"]);
    assert.equal(chosen.sources.classNames, "names.json, key wds/imagenet1k");
    assert.equal(chosen.isFallback, false);
  });

  it("lets custom templates fall back to imagenet1k, and custom names not", async () => {
    const custom = { own, customTemplates: templates({ imagenet1k: ["{c}"] }) };
    assert.equal((await choose("wds/shapes", custom)).isFallback, true);
    await assert.rejects(
      choose("wds/shapes", { own, customClassNames: names({ imagenet1k: ["x"] }) }),
      /names\.json: no class names for wds\/shapes; expected one of the keys "wds\/shapes", "shapes", found "imagenet1k"/,
    );
    await assert.rejects(
      choose("wds/shapes", { own, customTemplates: templates({ a: [] }) }),
      /no templates for wds\/shapes; expected one of the keys "wds\/shapes", "shapes", "imagenet1k", found "a"/,
    );
  });

  it("lists the known languages for an unknown one", async () => {
    await assert.rejects(
      choose("imagenet1k", { language: "zh" }),
      /--language zh: expected one of ar, cn, en, it, jp .*; Chinese is "cn" here/,
    );
    await assert.rejects(
      choose("fer2013", { language: "it" }),
      /no class names for fer2013 in it_classnames\.json/,
    );
  });
});
