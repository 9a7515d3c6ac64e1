/** ImageNet and the datasets derived from it, with eight classes instead of a thousand. */
import { gzipSync } from "node:zlib";
import { languages, labelTemplates, phrase } from "../../demo-model/captions.ts";
import { shapes } from "../../demo-model/scene.ts";
import { objectNetFolder, objectNetShapes } from "../classes.ts";
import { encodeMat } from "../encode/mat.ts";
import { writeTar } from "../encode/tar.ts";
import { json, type GeneratedDataset, type GeneratedFile } from "../generated-dataset.ts";
import { allPairs, heldOutPairs, type World } from "../world.ts";

/** WordNet ids of the eight held-out pairs, in the order of the labels: eight of ImageNet's. */
const wnids = [
  "n01443537",
  "n01770081",
  "n01820546",
  "n02655020",
  "n02906734",
  "n03388043",
  "n07718472",
  "n12267677",
] as const;

function pairOf(world: World, index: number): number {
  const { colour, shape } = world.scene(index);
  return heldOutPairs.findIndex((pair) => pair.colour === colour && pair.shape === shape);
}

async function* byWnid(
  world: World,
  folder: string,
  stem: string,
): AsyncGenerator<GeneratedFile, void, undefined> {
  for (const index of world.indices) {
    const wnid = wnids[pairOf(world, index)]!;
    // Some of ImageNet's validation images are CMYK.
    const encoding = index === 9 ? "cmyk-jpg" : "jpg";
    yield {
      path: `${folder}${wnid}/${stem}${`${index + 1}`.padStart(8, "0")}.JPEG`,
      content: await world.image(index, encoding),
    };
  }
}

function wnidFolders(name: string, folder: string, layout: string): GeneratedDataset {
  return { name, folder: name, layout, files: (world) => byWnid(world, folder, "image_") };
}

const imagenet: GeneratedDataset = {
  name: "imagenet1k-unverified",
  folder: "imagenet1k-unverified",
  layout: "ImageNet's val/WNID",
  files: (world) => byWnid(world, "val/", "ILSVRC2012_val_"),
};

/** The archives of ImageNet's site. The numbers of classes have another order than their WordNet ids. */
const archives: GeneratedDataset = {
  name: "imagenet1k",
  folder: "imagenet1k",
  layout: "ImageNet's archives",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    const images = [];
    for (const index of world.indices) {
      const name = `ILSVRC2012_val_${`${index + 1}`.padStart(8, "0")}.JPEG`;
      images.push({ name, content: await world.image(index, index === 9 ? "cmyk-jpg" : "jpg") });
    }
    yield { path: "ILSVRC2012_img_val.tar", content: writeTar(images) };
    const numberOf = (pair: number): number => ((pair * 5) % wnids.length) + 1;
    const synsets = [...wnids, "n00001740"].map((id, pair) => ({
      // Nodes with children are not classes; their numbers come behind those of the classes.
      ILSVRC2012_ID: pair < wnids.length ? numberOf(pair) : wnids.length + 1,
      WNID: id,
      words: pair < wnids.length ? phrase("en", heldOutPairs[pair]!) : "entity",
      gloss: "",
      num_children: pair < wnids.length ? 0 : 2,
    }));
    const truth = world.indices.map((index) => `${numberOf(pairOf(world, index))}\n`).join("");
    const kit = writeTar([
      {
        name: "ILSVRC2012_devkit_t12/data/meta.mat",
        content: encodeMat(
          "synsets",
          synsets.sort((a, b) => a.ILSVRC2012_ID - b.ILSVRC2012_ID),
        ),
      },
      {
        name: "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
        content: Buffer.from(truth),
      },
    ]);
    // Not compressed: other versions of zlib would write other bytes.
    yield { path: "ILSVRC2012_devkit_t12.tar.gz", content: gzipSync(kit, { level: 0 }).fill(255, 9, 10) };
  },
};

/** Labels are the folders' numbers, which are not in the order of their names: "13" comes before "2". */
const imagenetV2: GeneratedDataset = {
  name: "imagenetv2",
  folder: "imagenetv2",
  layout: "ImageNetV2's numbered folders",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    for (const index of world.indices) {
      const { colour, shape } = world.scene(index);
      const label = allPairs.findIndex((pair) => pair.colour === colour && pair.shape === shape);
      const content = await world.image(index, index % 6 === 5 ? "palette-png" : "jpg");
      // Pillow recognises a format by its content, not by the name.
      yield { path: `ImageNetV2-matched-frequency/${label}/${index}.jpeg`, content };
    }
  },
};

/** Folders of shapes, of which only some overlap with ImageNet's classes. */
const objectNet: GeneratedDataset = {
  name: "objectnet",
  folder: "objectnet",
  layout: "ObjectNet with its mappings",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    const label = (shape: string): string => `${shape[0]!.toUpperCase()}${shape.slice(1)}`;
    yield {
      path: "folder_to_objectnet_label.json",
      content: json(Object.fromEntries(shapes.map((shape) => [objectNetFolder(shape), label(shape)]))),
    };
    yield {
      path: "objectnet_to_imagenet_1k.json",
      content: json(Object.fromEntries(objectNetShapes.map((shape, i) => [label(shape), `name ${i}`]))),
    };
    yield {
      path: "pytorch_to_imagenet_2012_id.json",
      content: json(Object.fromEntries(objectNetShapes.map((_, i) => [i, i]))),
    };
    yield {
      path: "imagenet_to_label_2012_v2",
      content: objectNetShapes.map((_, i) => `name ${i}\n`).join(""),
    };
    for (const index of world.indices) {
      const { shape } = world.scene(index);
      yield {
        path: `objectnet-1.0/images/${objectNetFolder(shape)}/${index}.png`,
        content: await world.image(index, "rgb-png"),
      };
    }
  },
};

const fer2013: GeneratedDataset = {
  name: "fer2013",
  folder: "fer2013",
  layout: "FER2013's test/CLASS",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    for (const index of world.indices) {
      const { shape } = world.scene(index);
      // Numbered, so that the folders have the order of the class names.
      yield {
        path: `test/${shapes.indexOf(shape)}_${shape}/${index}.png`,
        content: await world.image(index, "gray-png"),
      };
    }
  },
};

/** The classes of a language are some of ImageNet's, in an order of their own. */
const babel: GeneratedDataset = {
  name: "babel_imagenet",
  folder: "babel_imagenet",
  layout: "Babel-ImageNet in seven languages",
  async *files(world): AsyncGenerator<GeneratedFile, void, undefined> {
    yield* byWnid(world, "val/", "ILSVRC2012_val_");
    const classes = languages.map((language, i): [string, [number[], string[]]] => {
      const indices = [5, 0, 3, 7, 1, 6].slice(0, i === 0 ? 6 : 4 + (i % 3));
      return [
        language.toUpperCase(),
        [indices, indices.map((index) => phrase(language, heldOutPairs[index]!))],
      ];
    });
    yield { path: "babel_imagenet.json", content: json(Object.fromEntries(classes)) };
    // One language has no prompts, as three of the published ones.
    const prompts = languages
      .slice(0, -1)
      .map((language) => [language.toUpperCase(), labelTemplates(language)]);
    yield { path: "nllb_dist13b_prompts.json", content: json(Object.fromEntries(prompts)) };
  },
};

export const imagenets: readonly GeneratedDataset[] = [
  imagenet,
  archives,
  wnidFolders("imagenet_sketch", "", "ImageNet-Sketch's WNID folders"),
  wnidFolders("imagenet-a", "", "ImageNet-A's WNID folders"),
  wnidFolders("imagenet-o", "", "ImageNet-O's WNID folders"),
  wnidFolders("imagenet-r", "", "ImageNet-R's WNID folders"),
  imagenetV2,
  objectNet,
  fer2013,
  babel,
];
