import assert from "node:assert/strict";
import {
  assertTolerance,
  compareWithPublished,
  decisive,
  readPublished,
  type ComparedResult,
  type PublishedFigure,
} from "../../lib/eval/published.ts";
import { publishedFigures } from "../../lib/node/eval/published-figures.ts";

const X = { model: "xlm-roberta-large-ViT-H-14", pretrained: "frozen_laion5b_s13b_b90k" };
const E = { model: "ViT-H-14", pretrained: "laion2b_s32b_b79k" };

describe("published figures", () => {
  let figures: PublishedFigure[];
  before(async () => {
    figures = await publishedFigures();
  });

  function value(
    model: typeof X,
    dataset: string,
    metric: string,
    source: string,
    language = "en",
  ): number[] {
    return figures
      .filter((one) => one.model === model.model && one.pretrained === model.pretrained)
      .filter((one) => one.dataset === dataset && one.language === language && one.metric === metric)
      .filter((one) => one.source.name === source)
      .map((one) => one.value);
  }

  it("are those of the model card and its sources", () => {
    assert.deepEqual(value(X, "imagenet1k", "acc1", "open_clip results"), [0.7695]);
    assert.deepEqual(value(X, "imagenet1k", "acc1", "open_clip README", "it"), [0.56]);
    assert.deepEqual(value(X, "imagenet1k", "acc1", "open_clip README", "cn"), [0.557]);
    assert.deepEqual(value(X, "vtab/flowers", "mean_per_class_recall", "open_clip results"), [0.7532]);
    assert.deepEqual(value(X, "vtab/flowers", "acc1", "CLIP_benchmark notebook"), [0.775]);
    assert.deepEqual(value(E, "imagenet1k", "acc5", "CLIP_benchmark csv"), [0.95216]);
    assert.deepEqual(
      value(E, "voc2007_multilabel", "mean_average_precision", "CLIP_benchmark csv"),
      [0.801437],
    );
    assert.deepEqual(value(X, "flickr30k", "text_retrieval_recall@10", "open_clip retrieval"), [0.998]);
    assert.deepEqual(
      value(X, "mscoco_captions", "image_retrieval_recall@1", "open_clip retrieval"),
      [0.4921],
    );
    const xtd = "multilingual_mscoco_captions";
    assert.deepEqual(value(X, xtd, "text_retrieval_recall@5", "open_clip retrieval", "zh"), [0.884]);
    assert.deepEqual(
      value(X, "crossmodal3600", "image_retrieval_recall@1", "open_clip retrieval", "ja"),
      [0.7261],
    );
    assert.deepEqual(value(X, "babel_imagenet", "acc1", "Babel-ImageNet", "ta"), [0.067283]);
  });

  it("have each figure once per source, between 0 and 1, for both models", () => {
    const keys = figures.map(({ model, dataset, language, metric, source }) =>
      [model, dataset, language, metric, source.name].join(),
    );
    assert.equal(new Set(keys).size, keys.length);
    assert.ok(figures.every(({ value: one }) => one >= 0 && one <= 1));
    assert.deepEqual(new Set(figures.map(({ model }) => model)), new Set([X.model, E.model]));
    const languages = (dataset: string): number =>
      new Set(figures.filter((one) => one.dataset === dataset).map(({ language }) => language)).size;
    assert.equal(languages("crossmodal3600"), 36);
    assert.equal(languages("multilingual_mscoco_captions"), 11);
    assert.equal(languages("babel_imagenet"), 90);
  });

  const result = (dataset: string, metrics: ComparedResult["metrics"], language = "en"): ComparedResult => ({
    ...X,
    dataset,
    language,
    metrics,
  });

  it("are compared within 0.002 and their rounding, the most precise source first", () => {
    const compare = (acc1: number) =>
      compareWithPublished(result("wds/imagenet1k", { acc1, acc5: 0.9 }), figures, { images: 50000 });
    const all = compare(0.7695);
    assert.deepEqual(
      all.map(({ published, verdict }) => [published.source.name, published.value, verdict]),
      [
        ["open_clip results", 0.7695, "match"],
        ["CLIP_benchmark notebook", 0.77, "match"],
      ],
    );
    assert.ok(Math.abs(all[0]!.tolerance - 0.00205) < 1e-12);
    assert.ok(Math.abs(all[1]!.tolerance - 0.0055) < 1e-12);
    assert.equal(decisive(compare(0.77155))[0]!.verdict, "match");
    assert.equal(decisive(compare(0.7716))[0]!.verdict, "differs");
    assert.equal(decisive(compare(0.76745))[0]!.verdict, "match");
    assert.equal(decisive(compare(0.7674))[0]!.verdict, "differs");
    assert.ok(Math.abs(decisive(compare(0.7716))[0]!.difference - 0.0021) < 1e-12);
  });

  it("allow for the rounding of each value: 56 % has two decimals, 55.7 % three", () => {
    const tolerance = (language: string): number => {
      const [found] = compareWithPublished(result("imagenet1k", { acc1: 0.5 }, language), figures, {
        images: 50000,
      });
      return Number(found!.tolerance.toFixed(6));
    };
    assert.deepEqual([tolerance("it"), tolerance("jp"), tolerance("cn")], [0.007, 0.007, 0.0025]);
  });

  it("allow two images of a small dataset", () => {
    const kitti = result("vtab/kitti_closest_vehicle_distance", { acc1: 0.1364 + 2 / 711 });
    const [first] = compareWithPublished(kitti, figures, { images: 711 });
    assert.equal(first!.verdict, "match");
    const [more] = compareWithPublished(
      result("vtab/kitti_closest_vehicle_distance", { acc1: 0.1364 + 3 / 711 }),
      figures,
      { images: 711 },
    );
    assert.equal(more!.verdict, "differs");
  });

  it("are only informative where they contradict each other", () => {
    for (const dataset of ["vtab/svhn", "wds/vtab/clevr_count_all", "vtab/clevr_closest_object_distance"]) {
      const found = compareWithPublished(result(dataset, { acc1: 0 }), figures, { images: 15000 });
      assert.deepEqual([...new Set(found.map(({ verdict }) => verdict))], ["informative"], dataset);
    }
  });

  it("take another tolerance, in place of the sources' own", () => {
    const found = compareWithPublished(result("imagenet1k", { acc1: 0.5 }, "it"), figures, {
      images: 50000,
      tolerance: 0.1,
    });
    assert.equal(found[0]!.verdict, "match");
    assert.throws(() => {
      assertTolerance(-1);
    }, /--tolerance: expected a number of at least 0, such as 0\.002, got -1/);
  });

  it("know CIFAR under both of its names, and nothing of other models or languages", () => {
    const cifar = compareWithPublished(result("vtab/cifar10", { acc1: 0.9718 }), figures, { images: 10000 });
    assert.equal(cifar[0]!.verdict, "match");
    const other = { ...result("imagenet1k", { acc1: 0.7 }), pretrained: "demo-model" };
    assert.deepEqual(compareWithPublished(other, figures, { images: 1 }), []);
    assert.deepEqual(
      compareWithPublished(result("imagenet1k", { acc1: 0.7 }, "ar"), figures, { images: 1 }),
      [],
    );
    assert.deepEqual(compareWithPublished(result("imagenet1k", { acc1: null }), figures, { images: 1 }), []);
  });

  it("are read from other files, which are checked", () => {
    const read = (figure: object) => () =>
      readPublished(
        JSON.stringify({ sources: { s: { decimals: 3, tolerance: 0.01 } }, figures: [figure] }),
        "f.json",
      );
    const figure = { ...X, dataset: "d", language: "en", metric: "acc1", value: 0.5, source: "s" };
    assert.deepEqual(read(figure)()[0]!.source, {
      name: "s",
      url: "",
      about: "",
      precision: "",
      decimals: 3,
      tolerance: 0.01,
    });
    assert.throws(
      read({ ...figure, source: "t" }),
      /f\.json: expected figures\[0\]\.source to be one of the sources/,
    );
    assert.throws(read({ ...figure, value: "x" }), /expected figures\[0\]\.value to be a number/);
  });
});
