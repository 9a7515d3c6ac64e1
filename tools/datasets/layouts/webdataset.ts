/**
 * WebDatasets, as clip_benchmark_export_wds writes them:
 *
 *     classnames.txt, zeroshot_classification_templates.txt, dataset_type.txt
 *     test/nshards.txt, test/0.tar, test/1.tar, …
 *
 * Source: clip_benchmark/webdataset_builder.py; clip_benchmark/datasets/builder.py, build_wds_dataset
 */
import { backgrounds, counts } from "../../demo-model/scene.ts";
import { attributesAndUnseen, attributesOf, classNames, templates, type ClassNamed } from "../classes.ts";
import { encodeNpy } from "../../../lib/tensor/npy.ts";
import { writeTar, type TarEntry } from "../encode/tar.ts";
import type { GeneratedDataset, GeneratedFile } from "../generated-dataset.ts";
import { allPairs, type Encoding, type World } from "../world.ts";

/** A part of a sample: its extension and content. */
type Part = readonly [extension: string, content: Uint8Array | string];

/** A WebDataset whose samples `sample` makes. */
function webDataset(
  short: string,
  layout: string,
  shards: number,
  texts: readonly GeneratedFile[],
  sample: (world: World, index: number) => Promise<Part[]>,
  isExtraShardWritten = false,
): GeneratedDataset {
  return {
    name: `wds/${short}`,
    folder: `wds_${short}`,
    layout,
    async *files(world) {
      yield* texts;
      yield { path: "test/nshards.txt", content: `${shards}\n` };
      for (let shard = 0; shard < shards; shard++) {
        const entries: TarEntry[] = [];
        for (const index of world.indices) {
          if (Math.floor((index * shards) / world.count) !== shard) continue;
          entries.push(...inTar(index, await sample(world, index)));
        }
        yield { path: `test/${shard}.tar`, content: writeTar(entries) };
      }
      if (!isExtraShardWritten) return;
      // A shard that nshards.txt excludes. Its label exceeds the classes, so that reading it is noticed.
      const entries = inTar(world.count, [
        ["cls", "999"],
        ["webp", await world.image(0, "webp")],
      ]);
      yield { path: `test/${shards}.tar`, content: writeTar(entries) };
    },
  };
}

/** webdataset's writer sorts the parts of a sample by their extensions. */
function inTar(index: number, parts: readonly Part[]): TarEntry[] {
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([extension, content]) => ({
    name: `s${`${index}`.padStart(7, "0")}.${extension}`,
    content: Buffer.from(content as string),
  }));
}

function classTexts(dataset: ClassNamed): GeneratedFile[] {
  const lines = (texts: readonly string[]): string => texts.map((text) => `${text}\n`).join("");
  return [
    { path: "classnames.txt", content: lines(classNames(dataset, "en")) },
    { path: "zeroshot_classification_templates.txt", content: lines(templates(dataset, "en")) },
  ];
}

const type = (name: string): GeneratedFile => ({ path: "dataset_type.txt", content: `${name}\n` });

/** 64 classes, of which eight have images; eleven shards, and one more that does not count. */
const shapes = webDataset(
  "shapes",
  "WebDataset, 64 classes",
  11,
  classTexts("shapes"),
  async (world, index) => {
    const { colour, shape } = world.scene(index);
    const label = allPairs.findIndex((pair) => pair.colour === colour && pair.shape === shape);
    return [
      ["cls", `${label}`],
      ["webp", await world.image(index, "webp")],
    ];
  },
  true,
);

/** The images' formats in turn. */
const encodings: readonly Encoding[] = [
  "webp",
  "palette-png",
  "jpg",
  "rgba-png",
  "cmyk-jpg",
  "gray-alpha-png",
  "jpg",
  "rgb-png",
];

/** Four classes, so that there is no acc5. Images of all formats; a sample with two images, of which webp counts. */
const count = webDataset(
  "count",
  "WebDataset, 4 classes, many formats",
  2,
  classTexts("count"),
  async (world, index) => {
    const encoding = encodings[index % encodings.length]!;
    const label: Part = ["cls", `${counts.indexOf(world.scene(index).count)}`];
    const image = await world.image(index, encoding);
    if (index === 0) return [label, ["jpg", await world.image(1, "jpg")], ["webp", image]];
    if (index === 2) return [label, ["JPEG", image]];
    // A part that is neither image nor label.
    if (index === 3) return [label, ["json", "{}"], ["png", image]];
    return [label, [encoding.replace(/.*-/, ""), image]];
  },
);

/** Class names that repeat and one that is blank; more than one label for the same name. */
const background = webDataset(
  "backgrounds",
  "WebDataset, repeated and blank class names",
  1,
  classTexts("backgrounds"),
  async (world, index) => {
    const label = backgrounds.indexOf(world.scene(index).background);
    // The first background's name is repeated as number 5.
    const given = label === 0 && index % 2 === 1 ? backgrounds.length : label;
    return [
      ["cls", `${given}`],
      ["jpg", await world.image(index, "jpg")],
    ];
  },
);

const multilabel = webDataset(
  "multilabel",
  "WebDataset, multi-label",
  2,
  [...classTexts("multilabel"), type("multilabel")],
  async (world, index) => {
    const positive = attributesOf(world.scene(index));
    return [
      [
        "npy",
        encodeNpy(
          [attributesAndUnseen.length],
          attributesAndUnseen.map((_, i) => Number(positive.includes(i))),
        ),
      ],
      ["webp", await world.image(index, "webp")],
    ];
  },
);

const captions = webDataset(
  "captions",
  "WebDataset, retrieval, odd captions",
  3,
  [type("retrieval")],
  async (world, index) => [
    ["jpg", await world.image(index, "jpg")],
    ["txt", captionsText(world, index)],
  ],
);

/** The text of captions: most have five lines, others what readers get wrong. */
export function captionsText(world: World, index: number): string {
  const all = world.captions(index).en;
  const [first = "", second = "", third = ""] = all;
  switch (index % 16) {
    case 2:
      return [first, second, third].join("\n");
    case 3:
      return first;
    case 5:
      return ""; // an image without captions
    case 6:
      return `${first}\u2028${second}\n${third}`; // three captions, as for Python
    case 8:
      return all.join("\r\n");
    case 9:
      return [first, "", second].join("\n"); // the second caption is empty
    case 11:
      return `${all.join("\n")}\n`; // not a sixth caption
    case 12:
      return `  ${first} \n${second}\\n${third}`; // not stripped; a line break that the writer escaped
    case 13:
      return `${first}\x85${second}\v${third}`;
    default:
      return all.join("\n");
  }
}

export const webDatasets: readonly GeneratedDataset[] = [shapes, count, background, multilabel, captions];
