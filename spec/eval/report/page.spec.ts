import assert from "node:assert/strict";
import { shownImages } from "../../../lib/eval/report/details-section.ts";
import { reportPage } from "../../../lib/eval/report/page.ts";
import type { Comparison, PublishedFigure } from "../../../lib/eval/published.ts";
import { evaluationWith, resultWith } from "../../support/evaluation-details.ts";

function comparison(verdict: Comparison["verdict"], url = "https://example.org/x"): Comparison {
  const source = { name: "source", url, about: "", precision: "", decimals: 3, tolerance: 0.002 };
  const published = { dataset: "wds/x", value: 0.4, decimals: 3, source } as PublishedFigure;
  return { metric: "acc1", ours: 0.5, published, difference: 0.1, tolerance: 0.0025, verdict };
}

const worst = { image: "a.png", caption: "<a caption>", rank: 7, instead: "b.png" };
const retrieval = evaluationWith({
  kind: "retrieval",
  captions: 3,
  imageRank: { mean: 2, median: 1 },
  textRank: { mean: 3, median: 2 },
  worstImageRetrievals: [worst],
  worstTextRetrievals: [{ ...worst, caption: null, instead: "other caption" }],
});

describe("reportPage", () => {
  it("shows figures beside published ones, with the verdict", async () => {
    const page = await reportPage([resultWith({ comparisons: [comparison("differs")] })]);
    assert.match(page, /^<!doctype html>/);
    assert.match(page, /<td class="number">0\.5000<\/td>/);
    assert.match(page, /<td class="number">0\.400<\/td>/);
    assert.match(page, /\+0\.1000/);
    assert.match(page, /<td class="differs">✗ differs<\/td>/);
    assert.match(page, /<a href="https:\/\/example\.org\/x"/);
    assert.match(page, /Figures against published ones/);
  });

  it("leaves out the columns and charts of published figures if there are none", async () => {
    const page = await reportPage([resultWith()]);
    assert.doesNotMatch(page, />published</);
    assert.doesNotMatch(page, /<svg/);
  });

  it("links only to the web, whatever a file of published figures says", async () => {
    const page = await reportPage([
      resultWith({ comparisons: [comparison("match", "javascript:alert(1)")] }),
    ]);
    assert.doesNotMatch(page, /javascript/);
  });

  it("has a chart of languages where a dataset has several, best first", async () => {
    const german = resultWith();
    const record = { ...german.record, language: "de", metrics: { acc1: 0.75 } };
    const page = await reportPage([resultWith(), { ...german, file: "de.json", record }]);
    assert.match(page, />wds\/x: acc1</);
    assert.ok(page.indexOf("<title>de: 75.0%</title>") < page.indexOf("<title>en: 50.0%</title>"));
    assert.match(page, /<title>de: 75\.0%<\/title>/);
  });

  it("explains a classification: prompts, ties, confusions, the classes with the lowest recall", async () => {
    const evaluation = evaluationWith(
      {
        kind: "classification",
        classes: [
          { name: "cat", examples: 3, recall: 1 / 3, precision: 1 },
          { name: "", examples: 1, recall: 1, precision: 1 / 3 },
        ],
        confusions: [
          [0, 0, 1],
          [0, 1, 2],
          [1, 1, 1],
        ],
      },
      {
        ties: 2,
        images: 3,
        failed: [{ image: "bad.png", reason: "damaged" }],
        prompts: {
          sources: { classNames: "names.txt", templates: "templates.json, key imagenet1k" },
          isFallback: true,
          classes: 2,
          prompts: 2,
          first: ["a photo of a cat"],
          names: { repeated: [{ name: "cat", classes: [0, 2] }], blank: [1], padded: [] },
          sha256: "",
        },
      },
    );
    const page = await reportPage([resultWith({ evaluation })]);
    for (const text of [
      "3 of 4, split test (webdataset)",
      "2 answers depend on the order of equal scores",
      "bad.png: damaged",
      "<code>names.txt</code>",
      "<code>a photo of a cat</code>",
      ", ImageNet&#39;s, because there are none for the dataset",
      "&quot;cat&quot; (2 classes)",
      "<dt>blank names</dt>",
      "Confusion matrix of 2 classes",
      "(blank) (2)",
      "33.3%",
    ]) {
      assert.ok(page.includes(text), text);
    }
    assert.match(page, /href="#result-r\.json"/);
    assert.match(page, /<section id="result-r\.json"/);
    assert.match(page, /± 0\.2500/);
  });

  it("shows the worst retrievals with their images, and names where there is no image", async () => {
    const result = resultWith({ evaluation: retrieval });
    assert.deepEqual(shownImages([result]), ["a.png", "b.png"]);
    const page = await reportPage([result], new Map([["a.png", "data:image/png;base64,AAAA"]]));
    assert.match(page, /“&lt;a caption&gt;”/);
    assert.match(page, /<img src="data:image\/png;base64,AAAA" alt="a\.png"/);
    assert.match(page, /<span class="name">b\.png<\/span>/);
    assert.match(page, /its image, rank 7/);
    assert.match(page, /“other caption”/);
  });

  it("has a part for each model, and needs no other files", async () => {
    const other = resultWith();
    const page = await reportPage([
      resultWith(),
      { ...other, file: "o.json", record: { ...other.record, model: "n", pretrained: "n" } },
    ]);
    assert.match(page, /<h2>m p<\/h2>/);
    assert.match(page, /<h2>n<\/h2>/);
    assert.doesNotMatch(page, /<(script|link|iframe)|@import|url\((?!#)/);
  });
});
