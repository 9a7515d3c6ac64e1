/**
 * Writes assets/eval/published.json: figures that others published for the multilingual and the English ViT-H-14.
 *
 *     node dist/tools/eval/write-published.js --open-clip CHECKOUT --clip-benchmark CHECKOUT --babel-imagenet CHECKOUT
 *
 * Sources are the CSV files in open_clip's docs, CLIP_benchmark's benchmark.csv and the outputs of a notebook in its
 * history, and the results of Babel-ImageNet. `git show` reads them, so a bare repository is enough.
 */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

const target = join(import.meta.dirname, "../../../assets/eval/published.json");

const multilingual = "xlm-roberta-large-ViT-H-14 frozen_laion5b_s13b_b90k";
const english = "ViT-H-14 laion2b_s32b_b79k";
const models = [multilingual, english];

const commits = {
  openClip: "89fb801f1e6087880e951fc8354b8a2077b79c6d",
  clipBenchmark: "48de38c1689fa6d8b4dd53e3370c669c3bb18117",
  notebook: "28f1d23",
  babelImageNet: "317c49896f04bc61d0c7a5dfc6fd4e3b0d8a9430",
};

/** model, dataset, language, metric, value, and its decimals if they are not those of the source */
type Figure = readonly [string, string, string, string, number, number?];

/** The columns of open_clip's tables: dataset, and the metric where it is not acc1. */
const columns: Readonly<Record<string, readonly [dataset: string, metric?: string]>> = {
  "ImageNet 1k": ["imagenet1k"],
  "Caltech-101": ["vtab/caltech101", "mean_per_class_recall"],
  "CIFAR-10": ["cifar10"],
  "CIFAR-100": ["vtab/cifar100"],
  "CLEVR Counts": ["vtab/clevr_count_all"],
  "CLEVR Distance": ["vtab/clevr_closest_object_distance"],
  Country211: ["country211"],
  "Describable Textures": ["vtab/dtd"],
  EuroSAT: ["vtab/eurosat"],
  "FGVC Aircraft": ["fgvc_aircraft", "mean_per_class_recall"],
  "Food-101": ["food101"],
  GTSRB: ["gtsrb"],
  "ImageNet Sketch": ["imagenet_sketch"],
  "ImageNet v2": ["imagenetv2"],
  "ImageNet-A": ["imagenet-a"],
  "ImageNet-O": ["imagenet-o"],
  "ImageNet-R": ["imagenet-r"],
  "KITTI Vehicle Distance": ["vtab/kitti_closest_vehicle_distance"],
  MNIST: ["mnist"],
  ObjectNet: ["objectnet"],
  "Oxford Flowers-102": ["vtab/flowers", "mean_per_class_recall"],
  "Oxford-IIIT Pet": ["vtab/pets", "mean_per_class_recall"],
  "Pascal VOC 2007": ["voc2007"],
  PatchCamelyon: ["vtab/pcam"],
  "Rendered SST2": ["renderedsst2"],
  RESISC45: ["vtab/resisc45"],
  "Stanford Cars": ["cars"],
  "STL-10": ["stl10"],
  SUN397: ["sun397"],
  SVHN: ["vtab/svhn"],
};

function show(checkout: string, commit: string, file: string): string {
  return execFileSync("git", ["-C", checkout, "show", `${commit}:${file}`], {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
}

/** None of these files quotes a field. */
function csv(text: string): Record<string, string>[] {
  const [head = "", ...lines] = text.trim().split(/\r?\n/);
  const names = head.split(",");
  return lines.map((line) => {
    const fields = line.split(",");
    return Object.fromEntries(names.map((name, i) => [name, fields[i] ?? ""]));
  });
}

function openClipFigures(checkout: string): {
  readonly classification: Figure[];
  readonly retrieval: Figure[];
} {
  const read = (name: string): Record<string, string>[] =>
    csv(show(checkout, commits.openClip, `docs/${name}.csv`));
  const rowOf = (rows: Record<string, string>[], model: string): Record<string, string> => {
    const row = rows.find(
      (one) => `${one["name"] ?? one["model"]} ${one["pretrained"] ?? one["version"]}` === model,
    );
    if (row === undefined) throw new Error(`open_clip's docs have no row of ${model}`);
    return row;
  };
  const classification: Figure[] = [];
  const retrieval: Figure[] = [];
  for (const model of models) {
    const results = rowOf(read("openclip_results"), model);
    for (const [column, [dataset, metric = "acc1"]] of Object.entries(columns)) {
      classification.push([model, dataset, "en", metric, Number(results[column])]);
    }
    for (const [column, value] of Object.entries(rowOf(read("openclip_retrieval_results"), model))) {
      const match = /^(Flickr|MSCOCO) (image|text) retr\. R@(\d+)$/.exec(column);
      if (match === null) continue;
      const dataset = match[1] === "Flickr" ? "flickr30k" : "mscoco_captions";
      retrieval.push([model, dataset, "en", `${match[2]}_retrieval_recall@${match[3]}`, Number(value)]);
    }
    for (const [column, value] of Object.entries(
      rowOf(read("openclip_multilingual_retrieval_results"), model),
    )) {
      const match = /^(\S+) ((?:image|text)_retrieval_recall@\d+) (\S+)$/.exec(column);
      if (match === null || match[3] === "avg") continue;
      retrieval.push([model, match[1]!, match[3]!, match[2]!, Number(value)]);
    }
  }
  return { classification, retrieval };
}

const csvMetrics = [
  "acc1",
  "acc5",
  "mean_per_class_recall",
  "mean_average_precision",
  "image_retrieval_recall@5",
  "text_retrieval_recall@5",
];

function benchmarkFigures(checkout: string): Figure[] {
  const rows = csv(show(checkout, commits.clipBenchmark, "benchmark/benchmark.csv"));
  return rows
    .filter((row) => models.includes(row["model_fullname"]!))
    .flatMap((row) =>
      csvMetrics
        .filter((metric) => row[metric] !== "")
        .map((metric): Figure => [
          row["model_fullname"]!,
          row["dataset"]!,
          "en",
          metric,
          round(row[metric]!),
        ]),
    );
}

interface Cell {
  readonly source: string[];
  readonly outputs?: readonly { readonly data?: { readonly "text/plain"?: string[] } }[];
}

/** The tables that pandas printed: a line "dataset" with names, then a line for each model; "..." hides columns. */
function notebookFigures(checkout: string): Figure[] {
  const { cells } = JSON.parse(show(checkout, commits.notebook, "benchmark/results.ipynb")) as {
    cells: Cell[];
  };
  const figures = new Map<string, Figure>();
  for (const { source, outputs = [] } of cells) {
    const metric = /metric = "([^"]+)"/.exec(source.join(""))?.[1];
    if (metric === undefined || !csvMetrics.includes(metric) || source.join("").includes("rank(")) continue;
    for (const line of outputs.flatMap(({ data }) => tableRows(data?.["text/plain"]?.join("") ?? ""))) {
      const { model, dataset, value } = line;
      figures.set([model, dataset, metric].join(), [model, dataset, "en", metric, value]);
    }
  }
  return [...figures.values()];
}

function tableRows(
  text: string,
): { readonly model: string; readonly dataset: string; readonly value: number }[] {
  let datasets: string[] = [];
  return text.split("\n").flatMap((line) => {
    const words = line
      .replace(/\\\s*$/, "")
      .trim()
      .split(/\s+/);
    if (words[0] === "dataset") datasets = words.slice(1);
    const model = models.find(
      (one) => line.startsWith(one) || (one.length > 50 && line.startsWith(`${one.slice(0, 47)}...`)),
    );
    if (model === undefined) return [];
    const values = words.slice(2);
    if (values.length !== datasets.length)
      throw new Error(`results.ipynb: ${values.length} values for ${datasets.length} datasets`);
    return datasets.flatMap((dataset, i) =>
      /^[\d.]*\d$/.test(values[i]!) ? [{ model, dataset, value: Number(values[i]) }] : [],
    );
  });
}

function babelFigures(checkout: string): Figure[] {
  const file = "results/babel-imagenet/openclip-xlmrl-vith14.json";
  const { results } = JSON.parse(show(checkout, commits.babelImageNet, file)) as {
    results: readonly { readonly lang: string; readonly prompt: string; readonly accuracy: number }[];
  };
  return results
    .filter(({ prompt }) => prompt === "nllb_dist13b_prompts")
    .map(({ lang, accuracy }): Figure => [
      multilingual,
      "babel_imagenet",
      lang.toLowerCase(),
      "acc1",
      round(accuracy),
    ]);
}

/** To six decimals: the files have up to 16, of which a run in half precision determines fewer. */
function round(value: string | number): number {
  return Number(Number(value).toFixed(6));
}

const openClip = `https://github.com/mlfoundations/open_clip/blob/${commits.openClip}`;
const clipBenchmark = "https://github.com/LAION-AI/CLIP_benchmark/blob";

/** decimals: of the values. tolerance: how far a correct rerun may be away, without the rounding of the values. */
const sources = {
  "open_clip results": {
    url: `${openClip}/docs/openclip_results.csv`,
    about:
      "DataComp's evaluation of all OpenCLIP models; images and logits in float32, text classifiers in mixed precision",
    precision: "float32",
    decimals: 4,
    tolerance: 0.002,
  },
  "open_clip retrieval": {
    url: `${openClip}/docs/openclip_retrieval_results.csv`,
    about:
      "retrieval in English, and in other languages in openclip_multilingual_retrieval_results.csv beside it",
    precision: "float32",
    decimals: 4,
    tolerance: 0.002,
  },
  "open_clip README": {
    url: `${openClip}/docs/PRETRAINED.md`,
    about: "ImageNet with translated class names and templates",
    precision: "mixed",
    decimals: 3,
    tolerance: 0.002,
  },
  "CLIP_benchmark csv": {
    url: `${clipBenchmark}/${commits.clipBenchmark}/benchmark/benchmark.csv`,
    about: "CLIP_benchmark's own runs in October to December 2022, in half precision",
    precision: "float16",
    decimals: 6,
    tolerance: 0.005,
  },
  "CLIP_benchmark notebook": {
    url: `${clipBenchmark}/${commits.notebook}/benchmark/results.ipynb`,
    about: "CLIP_benchmark's own runs in July 2023, in half precision; some columns are not shown",
    precision: "float16",
    decimals: 3,
    tolerance: 0.005,
  },
  "Babel-ImageNet": {
    url: `https://github.com/gregor-ge/Babel-ImageNet/blob/${commits.babelImageNet}/results/babel-imagenet/openclip-xlmrl-vith14.json`,
    about: "80 translated templates per language, in half precision",
    precision: "float16",
    decimals: 6,
    tolerance: 0.005,
  },
};

/** In docs/PRETRAINED.md, in per cent. */
const readmeFigures: readonly Figure[] = [
  [multilingual, "imagenet1k", "it", "acc1", 0.56, 2],
  [multilingual, "imagenet1k", "jp", "acc1", 0.53, 2],
  [multilingual, "imagenet1k", "cn", "acc1", 0.557],
];

/** In a table of the notebook with means over datasets: this is the only one with a mean average precision. */
const multilabelFigures: readonly Figure[] = [
  [multilingual, "voc2007_multilabel", "en", "mean_average_precision", 0.84],
  [english, "voc2007_multilabel", "en", "mean_average_precision", 0.805],
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      "open-clip": { type: "string" },
      "clip-benchmark": { type: "string" },
      "babel-imagenet": { type: "string" },
    },
  });
  const [first, second, third] = [values["open-clip"], values["clip-benchmark"], values["babel-imagenet"]];
  if (first === undefined || second === undefined || third === undefined) {
    throw new Error("expected --open-clip, --clip-benchmark and --babel-imagenet, each with a checkout");
  }
  const { classification, retrieval } = openClipFigures(first);
  const groups: [keyof typeof sources, readonly Figure[]][] = [
    ["open_clip results", classification],
    ["open_clip retrieval", retrieval],
    ["open_clip README", readmeFigures],
    ["CLIP_benchmark csv", benchmarkFigures(second)],
    ["CLIP_benchmark notebook", [...notebookFigures(second), ...multilabelFigures]],
    ["Babel-ImageNet", babelFigures(third)],
  ];
  const lines = groups.flatMap(([source, figures]) => {
    const sorted = figures.toSorted((a, b) => models.indexOf(a[0]) - models.indexOf(b[0]));
    return sorted.map(([name, dataset, language, metric, value, decimals]) => {
      const [model, pretrained] = name.split(" ");
      return JSON.stringify({ model, pretrained, dataset, language, metric, value, source, decimals });
    });
  });
  const about = Object.entries(sources).map(
    ([name, one]) => `${JSON.stringify(name)}: ${JSON.stringify(one)}`,
  );
  await writeFile(
    target,
    `{"sources": {\n${about.join(",\n")}\n},\n"figures": [\n${lines.join(",\n")}\n]}\n`,
  );
  for (const [source, figures] of groups) console.log(`${source}: ${figures.length} figures`);
}

await main();
