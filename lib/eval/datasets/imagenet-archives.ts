/**
 * ImageNet's validation images in the archives of its site, which are read without unpacking them.
 *
 *     ROOT/ILSVRC2012_img_val.tar              ILSVRC2012_val_00000001.JPEG, …
 *     ROOT/ILSVRC2012_devkit_t12.tar.gz        data/meta.mat: the classes; data/ILSVRC2012_validation_ground_truth.txt:
 *                                              the number of each image's class in it
 *
 * Classes are numbered in the order of their WordNet ids, and images are sorted by class, then by name, as if they were
 * unpacked into a folder for each class.
 *
 * Source: torchvision, datasets/imagenet.py, parse_devkit_archive and parse_val_archive.
 */
import { InputError } from "../../errors/input-error.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { joinPath, type DatasetFiles, type TarMember } from "../dataset-files.ts";
import type { DatasetReader } from "../dataset-reader.ts";
import type { ClassificationDataset } from "../dataset.ts";
import { inflate } from "../inflate.ts";
import { readMatlabStructs } from "../matlab.ts";
import { splitLines, strip } from "../python-text.ts";
import { membersOfTar } from "../tar-in-memory.ts";

const imagesName = "ILSVRC2012_img_val.tar";
const kitName = "ILSVRC2012_devkit_t12.tar.gz";
const truthPath = "data/ILSVRC2012_validation_ground_truth.txt";
const classesPath = "data/meta.mat";

/** In bytes, of the kit once it is inflated. ImageNet's has 3 MB. */
const largestKit = 2 ** 28;

export const imageNetArchives: DatasetReader = {
  layout: "imagenet-archives",
  looksLike: `${imagesName} and ${kitName}`,
  names: ["imagenet1k"],

  async recognizes(files, folder) {
    const names = new Set((await files.list(folder)).map(({ name }) => name));
    // What is unpacked already is read as a folder for each class.
    return names.has(imagesName) && names.has(kitName) && !names.has("val");
  },

  async read(files, { name, folder, split = "test", language }): Promise<ClassificationDataset> {
    if (split !== "test" && split !== "val") {
      throw new InputError(
        `${folder}: expected --split test or val, the images of ${imagesName}, found "${split}"; for other splits unpack both into val/WNID and train/WNID`,
      );
    }
    const kit = joinPath(folder, kitName);
    const { wordNetIds, labels } = await readKit(files, kit);
    const tar = joinPath(folder, imagesName);
    const members = (await files.tar(tar)).toSorted((a, b) => compareCodePoints(a.path, b.path));
    if (members.length !== labels.length) {
      throw new InputError(
        `${tar}: expected ${labels.length} images, the number of labels in ${kit}, found ${members.length}; download both again`,
      );
    }
    const order = [...members.keys()].sort((a, b) => labels[a]! - labels[b]! || a - b);
    return {
      kind: "classification",
      name,
      layout: "imagenet-archives",
      split: "val",
      language: language ?? null,
      images: order.map((i) => partOf(members[i]!)),
      convertToRgbFirst: true,
      sources: [kit],
      labels: order.map((i) => labels[i]!),
      classNames: name === "imagenet1k" ? null : { texts: wordNetIds, file: kit },
      templates: null,
      classFolders: wordNetIds,
    };
  },
};

function partOf({ name, file, offset, size }: TarMember): ClassificationDataset["images"][number] {
  return { name, file, offset, size };
}

/** The classes' WordNet ids, sorted, and the index of each image's class among them. */
async function readKit(
  files: DatasetFiles,
  kit: string,
): Promise<{ readonly wordNetIds: readonly string[]; readonly labels: readonly number[] }> {
  const tar = await inflate(await files.bytes(kit), "gzip", largestKit).catch(() => {
    throw new InputError(
      `${kit}: expected a tar that gzip compressed, found something else; download it again`,
    );
  });
  const members = membersOfTar(tar, kit);
  const member = (path: string): Uint8Array => {
    const found = [...members].find(([name]) => name === path || name.endsWith(`/${path}`));
    if (found !== undefined) return found[1];
    throw new InputError(`${kit}: expected the file ${path}, found none; download it again`);
  };
  const idOf = await classIds(member(classesPath), `${kit}:${classesPath}`);
  const wordNetIds = [...idOf.values()].sort(compareCodePoints);
  const lines = splitLines(new TextDecoder("latin1").decode(member(truthPath)));
  const labels = lines.map((line, i) => {
    const id = idOf.get(Number(strip(line)));
    if (id !== undefined) return wordNetIds.indexOf(id);
    throw new InputError(
      `${kit}:${truthPath}: line ${i + 1}: expected the number of one of ${idOf.size} classes, found ${JSON.stringify(line.slice(0, 40))}; download the file again`,
    );
  });
  return { wordNetIds, labels };
}

/** The WordNet ids of the classes by their numbers. Nodes of WordNet that have children are not classes. */
async function classIds(bytes: Uint8Array, where: string): Promise<Map<number, string>> {
  const idOf = new Map<number, string>();
  for (const { ILSVRC2012_ID: number, WNID: id, num_children: children } of await readMatlabStructs(
    bytes,
    "synsets",
    where,
  )) {
    if (typeof id !== "string" || !isNumber(number) || !isNumber(children)) {
      throw new InputError(
        `${where}: expected the fields ILSVRC2012_ID, WNID and num_children, found others; download the file again`,
      );
    }
    if (children[0] === 0) idOf.set(number[0], id);
  }
  return idOf;
}

function isNumber(value: unknown): value is readonly [number] {
  return Array.isArray(value) && value.length === 1;
}
