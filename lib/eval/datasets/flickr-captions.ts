/**
 * Flickr8k and Flickr30k with Karpathy's splits, in English and Chinese.
 *
 *     ROOT/NAME.jpg
 *     ROOT/flickr8k_SPLIT_karpathy.txt       a title, then "NAME.jpg,CAPTION" a line; flickr30k_…
 *     ROOT/flickr8k_SPLIT_zh.txt
 *
 * Images have the order of their first line. Lines are stripped, and split at ".jpg,"; captions may contain commas.
 *
 * Source: clip_benchmark/datasets/flickr.py, Flickr; datasets/builder.py, "flickr30k" and "flickr8k".
 */
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader, DatasetRequest } from "../dataset-reader.ts";
import type { RetrievalDataset } from "../dataset.ts";
import { strip, universalNewlines } from "../python-text.ts";
import { imagesIn } from "./dataset-images.ts";
import { unknownLanguage } from "./languages.ts";

const pattern = /^flickr\w*?_([a-z]+)_(karpathy|zh)\.txt$/;
const endings = new Map([
  ["en", "karpathy"],
  ["zh", "zh"],
]);
const separator = ".jpg,";

export const flickrCaptions: DatasetReader = {
  layout: "flickr",
  looksLike: "images and flickr30k_test_karpathy.txt, or flickr8k_test_karpathy.txt",
  names: ["flickr30k", "flickr8k"],

  async recognizes(files, folder) {
    return (await files.list(folder)).some(({ name }) => pattern.test(name));
  },

  async read(files, request): Promise<RetrievalDataset> {
    const { name, folder, split = "test", language = "en" } = request;
    const file = request.annotations ?? (await captionsFile(files, request, split, language));
    const captions = parseLines(await files.text(file), file);
    return {
      kind: "retrieval",
      name,
      layout: "flickr",
      split,
      language,
      images: await imagesIn(files, folder, [...captions.keys()]),
      convertToRgbFirst: true,
      sources: [file],
      captions: [...captions.values()],
    };
  },
};

async function captionsFile(
  files: DatasetFiles,
  { folder, name }: DatasetRequest,
  split: string,
  language: string,
): Promise<string> {
  const ending = endings.get(language);
  if (ending === undefined) throw unknownLanguage(folder, language, endings.keys());
  const found = (await files.list(folder)).find((entry) => {
    const [, ofSplit, ofLanguage] = pattern.exec(entry.name) ?? [];
    return ofSplit === split && ofLanguage === ending;
  });
  if (found !== undefined) return joinPath(folder, found.name);
  const expected = `${name.startsWith("flickr") ? name : "flickr30k"}_${split}_${ending}.txt`;
  throw new InputError(
    `${joinPath(folder, expected)}: not found; download it from github.com/mehdidc/retrieval_annotations, or give --annotations FILE`,
  );
}

/** The captions of each image. */
function parseLines(text: string, file: string): Map<string, string[]> {
  const captions = new Map<string, string[]>();
  for (const [i, given] of universalNewlines(text).split("\n").entries()) {
    const line = strip(given);
    if (i === 0 || line === "") continue;
    const [stem, caption, ...more] = line.split(separator);
    if (stem === undefined || caption === undefined || more.length > 0) {
      throw new InputError(
        `${file}: line ${i + 1}: expected "NAME.jpg,CAPTION" with one "${separator}", found ${JSON.stringify(line.slice(0, 60))}`,
      );
    }
    const name = `${stem}.jpg`;
    const own = captions.get(name);
    if (own === undefined) captions.set(name, [caption]);
    else own.push(caption);
  }
  if (captions.size === 0)
    throw new InputError(`${file}: expected captions after the first line, found none`);
  return captions;
}
