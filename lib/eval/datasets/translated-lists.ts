/**
 * Readers of retrieval datasets that are published as a list of images and a list of captions for each language. They
 * read CLIP_benchmark's JSON files where it has written them, otherwise the lists.
 */
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";
import type { DatasetReader, DatasetRequest } from "../dataset-reader.ts";
import { splitLines } from "../python-text.ts";
import { assertPairs, pairedDataset, readAnnotations, type CaptionPairs } from "./caption-pairs.ts";
import { imagesIn } from "./dataset-images.ts";
import { filesByLanguage, unknownLanguage } from "./languages.ts";

/** One such layout. */
export interface ListLayout extends Pick<DatasetReader, "layout" | "looksLike" | "names"> {
  /** Names of CLIP_benchmark's JSON files; the first group is the language. */
  readonly annotations: RegExp;
  /** Where the lists and the folder `images` are, below the dataset's folder. The first that exists counts. */
  readonly folders: readonly string[];
  /** The file with the images' names: the first that exists. */
  readonly lists: readonly string[];
  /** Names of the files with captions, a line for each image; the first group is the language. */
  readonly captions: RegExp;
}

export function listReader(layout: ListLayout): DatasetReader {
  return {
    layout: layout.layout,
    looksLike: layout.looksLike,
    names: layout.names,

    async recognizes(files, folder) {
      const annotations = await filesByLanguage(files, folder, layout.annotations);
      return annotations.size > 0 || (await listsOf(files, folder, layout)) !== null;
    },

    async read(files, request) {
      return pairedDataset(request, layout.layout, await readPairs(files, request, layout));
    },
  };
}

async function readPairs(
  files: DatasetFiles,
  request: DatasetRequest,
  layout: ListLayout,
): Promise<CaptionPairs> {
  const { folder, language = "en" } = request;
  if (request.annotations !== undefined) return readAnnotations(files, folder, request.annotations);
  const annotations = await filesByLanguage(files, folder, layout.annotations);
  const file = annotations.get(language);
  if (file !== undefined) return readAnnotations(files, folder, joinPath(folder, file));
  const lists = await listsOf(files, folder, layout);
  const captionsName = lists?.captions.get(language);
  if (lists === null || captionsName === undefined) {
    const known = new Set([...annotations.keys(), ...(lists?.captions.keys() ?? [])]);
    if (known.size > 0) throw unknownLanguage(folder, language, known);
    throw new InputError(`${folder}: expected ${layout.looksLike}`);
  }
  const captionsFile = joinPath(lists.folder, captionsName);
  const captions = splitLines(await files.text(captionsFile));
  const names = splitLines(await files.text(lists.list));
  assertPairs(names, captions, captionsFile);
  const images = await imagesIn(files, joinPath(lists.folder, "images"), names);
  return { images, captions, sources: [lists.list, captionsFile] };
}

interface Lists {
  readonly folder: string;
  /** The file of the images' names. */
  readonly list: string;
  /** The names of the captions' files, by language. */
  readonly captions: ReadonlyMap<string, string>;
}

async function listsOf(files: DatasetFiles, root: string, layout: ListLayout): Promise<Lists | null> {
  for (const folder of layout.folders.map((name) => joinPath(root, name))) {
    for (const list of layout.lists.map((name) => joinPath(folder, name))) {
      const captions = await filesByLanguage(files, folder, layout.captions);
      if (captions.size > 0 && (await files.kindOf(list)) === "file") return { folder, list, captions };
    }
  }
  return null;
}
