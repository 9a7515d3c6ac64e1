/**
 * Names that stand for several datasets.
 *
 * Source: CLIP_benchmark, datasets/builder.py, dataset_collection; benchmark/webdatasets.txt; the commands of
 * benchmark/README.md for several languages.
 */

/** A dataset, with the languages in which it is evaluated unless others are given. */
export interface CollectionItem {
  readonly dataset: string;
  readonly languages?: readonly string[];
}

const vtab18 = [
  "caltech101",
  "cifar100",
  "clevr_count_all",
  "clevr_closest_object_distance",
  "diabetic_retinopathy",
  "dmlab",
  "dsprites_label_orientation",
  "dsprites_label_x_position",
  "dtd",
  "eurosat",
  "kitti_closest_vehicle_distance",
  "flowers",
  "pets",
  "pcam",
  "resisc45",
  "smallnorb_label_azimuth",
  "smallnorb_label_elevation",
  "svhn",
].map((name) => `vtab/${name}`);

const robustness = ["imagenetv2", "imagenet_sketch", "imagenet-a", "imagenet-r", "objectnet"];

const vtabPlus = [
  "imagenet1k",
  ...robustness,
  "fer2013",
  "voc2007",
  "voc2007_multilabel",
  "sun397",
  "cars",
  "fgvc_aircraft",
  "mnist",
  "stl10",
  "gtsrb",
  "country211",
  "renderedsst2",
  vtab18[0]!,
  "vtab/cifar10",
  ...vtab18.slice(1),
];

const retrieval = ["mscoco_captions", "flickr8k", "flickr30k"];

const imageNetLanguages = ["cn", "it", "jp", "en", "ar"];
const cocoLanguages = ["en", "es", "it", "ko", "pl", "ru", "tr", "zh", "de", "fr", "jp"];

/** Datasets that are published as WebDatasets but not in a collection, by those that they follow in the list. */
const published: Readonly<Record<string, readonly string[]>> = {
  "imagenet-r": ["imagenet-o"],
  "vtab/dsprites_label_x_position": ["vtab/dsprites_label_y_position"],
};

const prefixed = (name: string): string => `wds/${name}`;

const named = (datasets: readonly string[]): CollectionItem[] => datasets.map((dataset) => ({ dataset }));

/** The last two are not in CLIP_benchmark. */
export const collections: Readonly<Record<string, readonly CollectionItem[]>> = {
  vtab: named([...vtab18.slice(0, -1), "sun397", "vtab/svhn"]),
  "vtab+": named(vtabPlus),
  retrieval: named(retrieval),
  imagenet_robustness: named(robustness),
  sugar_crepe: named(
    ["add_att", "add_obj", "replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj"].map(
      (task) => `sugar_crepe/${task}`,
    ),
  ),
  webdatasets: named(
    [...retrieval, ...vtabPlus.flatMap((name) => [name, ...(published[name] ?? [])])].map(prefixed),
  ),
  "imagenet-translated": [{ dataset: "imagenet1k", languages: imageNetLanguages }],
  multilingual: [
    { dataset: "imagenet1k", languages: imageNetLanguages },
    { dataset: "multilingual_mscoco_captions", languages: cocoLanguages },
  ],
};

/**
 * The datasets of a collection; a name that is not one stands for itself. `wds/COLLECTION` gives each dataset the
 * prefix.
 */
export function expandCollection(name: string): readonly CollectionItem[] {
  const [, prefix = "", short = name] = /^(wds\/)(.*)$/s.exec(name) ?? [];
  const items = Object.hasOwn(collections, short) ? collections[short]! : undefined;
  if (items === undefined) return [{ dataset: name }];
  if (prefix === "") return items;
  return items.map((item) => ({ ...item, dataset: `${prefix}${item.dataset.replace(/^wds\//, "")}` }));
}
