/**
 * The datasets whose class names CLIP_benchmark brings, and their keys in its lists. Others take the names of torchvision
 * or of TensorFlow Datasets, which the files of those datasets hold.
 *
 * Source: CLIP_benchmark, datasets/builder.py, build_dataset and build_vtab_dataset.
 */
const keys: ReadonlyMap<string, string> = new Map([
  ...[
    "imagenet1k",
    "imagenet1k-unverified",
    "imagenet-w",
    "imagenetv2",
    "imagenet_sketch",
    "imagenet-a",
    "imagenet-o",
    "imagenet-r",
  ].map((name): [string, string] => [name, "imagenet1k"]),
  ...["caltech101", "flowers", "mnist", "eurosat", "gtsrb", "country211", "pcam", "fer2013"].map(
    (name): [string, string] => [name, name],
  ),
  ["vtab/caltech101", "caltech101_vtab"],
  ...[
    "clevr_count_all",
    "clevr_closest_object_distance",
    "diabetic_retinopathy",
    "dmlab",
    "eurosat",
    "kitti_closest_vehicle_distance",
    "pets",
    "pcam",
    "svhn",
  ].map((name): [string, string] => [`vtab/${name}`, name]),
]);

/** Undefined if the dataset itself has the names, as every WebDataset (`wds/…`) does. */
export function classNameKey(dataset: string): string | undefined {
  return keys.get(dataset);
}
