/** Folders of datasets. An input is JSON: the texts of the files by path. Every layout is tried on it. */
import { InputError } from "../../../lib/errors/input-error.ts";
import type { DatasetFiles, FolderEntry } from "../../../lib/eval/dataset-files.ts";
import { datasetReaders } from "../../../lib/eval/datasets/index.ts";
import { nameOf } from "../../../lib/tasks/image-source.ts";
import type { Random } from "../../demo-model/random.ts";
import { json } from "../fixtures.ts";
import { changed, mutateJson } from "../mutate-json.ts";
import type { CreateTarget, Mutation } from "../target.ts";

const root = "/data";

/** A path without "." and "..", as the operating system reads it. */
function resolved(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** @param found is called with each path that is opened */
function filesOf(texts: ReadonlyMap<string, string>, found: (path: string) => void): DatasetFiles {
  const at = (path: string): string => {
    found(resolved(path));
    const text = texts.get(resolved(path));
    if (text === undefined) throw new InputError(`${JSON.stringify(path)}: no such file or folder`);
    return text;
  };
  const below = (folder: string): string[] =>
    [...texts.keys()]
      .filter((path) => path.startsWith(`${resolved(folder)}/`))
      .map((path) => path.slice(resolved(folder).length + 1));
  return {
    kindOf: (path) =>
      Promise.resolve(texts.has(resolved(path)) ? "file" : below(path).length > 0 ? "folder" : null),
    list: (folder) => {
      const entries = below(folder).map((path): FolderEntry => {
        const [name = "", ...rest] = path.split("/");
        return { name, isFolder: rest.length > 0 };
      });
      return Promise.resolve([...new Map(entries.map((entry) => [entry.name, entry])).values()]);
    },
    bytes: async (path) => new TextEncoder().encode(await Promise.resolve(at(path))),
    text: async (path) => Promise.resolve(at(path)),
    tar: (path) => Promise.reject(new InputError(`${JSON.stringify(path)}: not a tar`)),
    parts: (parts) => Promise.resolve(parts.map(() => new Uint8Array(0))),
  };
}

function parse(input: Uint8Array): Map<string, string> {
  const texts = new Map<string, string>();
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(input));
  } catch {
    value = { "train/a/1.png": new TextDecoder().decode(input) };
  }
  if (typeof value !== "object" || value === null) return texts;
  for (const [path, text] of Object.entries(value)) {
    texts.set(resolved(`${root}/${path}`), typeof text === "string" ? text : JSON.stringify(text));
  }
  return texts;
}

/** Changes the text of one file: as JSON if it is, and its lines and columns. */
const changedFile: Mutation = (input, random, other) => {
  const files = Object.fromEntries(parse(input));
  const names = Object.keys(files);
  if (names.length === 0) return mutateJson(input, random, other);
  const name = random.pick(names);
  files[name] = changedText(files[name]!, random);
  return json(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [path.slice(root.length), text])),
  );
};

function changedText(text: string, random: Random): string {
  if (random.chance(0.5)) {
    try {
      return JSON.stringify(changed(JSON.parse(text), random));
    } catch {
      // It is not JSON.
    }
  }
  const separator = random.pick(["\n", "\t", ",", " ", "#"]);
  const parts = text.split(separator);
  const at = random.below(parts.length);
  const part = random.pick(["", "../a.jpg", "0", "-1", "1e9", "\u0000", parts[at]!, `${parts[at]!}x`, "é😀"]);
  return parts.toSpliced(at, random.below(2), part).join(separator);
}

const empty = (...paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, ""]));

const coco = {
  images: [
    { id: 3, file_name: "a.jpg" },
    { id: 1, file_name: "b.jpg" },
  ],
  annotations: [{ image_id: 3, caption: "a cat" }],
};
const seeds: readonly object[] = [
  empty("train/a/1.png", "train/b/2.png", "test/a/1.png", "test/b/2.png"),
  {
    "dataset_coco.json": {
      images: [{ filepath: "val2014", filename: "a.jpg", split: "test", sentences: [{ raw: "a cat" }] }],
    },
    ...empty("val2014/a.jpg"),
  },
  { "coco_test_karpathy.json": coco, ...empty("val2014/a.jpg", "val2014/b.jpg") },
  {
    "examples.jsonl": '{"id":0,"image_0":"a","image_1":"b","caption_0":"x","caption_1":"y"}\n',
    ...empty("images/a.png", "images/b.png"),
  },
  { "flickr8k_test_karpathy.txt": 'image,caption\na.jpg,a cat\na.jpg,"two, cats"\n', ...empty("a.jpg") },
  {
    "add_att.json": { "0": { filename: "a.jpg", caption: "a", negative_caption: "b" } },
    ...empty("val2017/a.jpg"),
  },
  {
    "test_image_names.txt": "a.jpg\nb.jpg\n",
    "test_1kcaptions_en.txt": "a cat\na dog\n",
    ...empty("images/a.jpg", "images/b.jpg"),
  },
  {
    "test/nshards.txt": "1\n",
    "zeroshot_classification_templates.txt": "a {c}\n",
    "classnames.txt": "a\nb\n",
    ...empty("test/0.tar"),
  },
];

export const create: CreateTarget = () => ({
  seeds: seeds.map(json),
  mutations: [changedFile, changedFile, mutateJson],
  async run(input) {
    const texts = parse(input);
    const results: string[] = [];
    let refusal = new InputError("no dataset");
    for (const reader of datasetReaders) {
      const { layout, names } = reader;
      const files = filesOf(texts, (path) => {
        if (!path.startsWith(`${root}/`)) throw new Error(`${layout} opens ${path}, outside the dataset`);
      });
      try {
        if (!(await reader.recognizes(files, root))) continue;
        const dataset = await reader.read(files, { name: names[0] ?? "data", folder: root });
        for (const image of dataset.images) {
          if (!resolved(nameOf(image)).startsWith(`${root}/`)) throw new Error(`${layout}: ${nameOf(image)}`);
        }
        results.push(`${layout}: ${Math.min(dataset.images.length, 3)}`);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refusal = error;
      }
    }
    if (results.length > 0) return results.join("; ");
    throw refusal;
  },
  maxSize: 8192,
});
