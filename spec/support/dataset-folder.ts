/** A folder with the files of a dataset, for specs of its reader. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Dataset } from "../../lib/eval/dataset.ts";
import type { DatasetReader, DatasetRequest } from "../../lib/eval/dataset-reader.ts";
import { datasetFiles } from "../../lib/node/eval/dataset-files.ts";
import { nameOf } from "../../lib/tasks/image-source.ts";
import { temporaryFolder } from "./temporary.ts";

/** Text, bytes, or what becomes JSON; empty files for a list of names. */
type Content = string | object;

export interface DatasetFolder {
  readonly path: string;
  write(files: Readonly<Record<string, Content>> | readonly string[]): void;
  remove(path: string): void;
  recognizes(below?: string): Promise<boolean>;
  read(request?: Partial<DatasetRequest>): Promise<Dataset>;
  /** The paths of a dataset's images below the folder. */
  images(dataset: Dataset): string[];
}

/** A new folder for each spec of the describe block. @param name of the dataset, unless a request has another */
export function datasetFolder(reader: DatasetReader, name: string): DatasetFolder {
  const folder = temporaryFolder();
  return {
    get path() {
      return folder.path;
    },
    write(files) {
      const all = Array.isArray(files) ? files.map((path: string) => [path, ""]) : Object.entries(files);
      for (const [path, content] of all as [string, Content][]) {
        mkdirSync(dirname(folder.file(path)), { recursive: true });
        const isReady = typeof content === "string" || content instanceof Uint8Array;
        writeFileSync(folder.file(path), isReady ? content : JSON.stringify(content));
      }
    },
    remove(path) {
      rmSync(folder.file(path));
    },
    recognizes: (below = "") => reader.recognizes(datasetFiles, folder.file(below)),
    read: (request = {}) => reader.read(datasetFiles, { name, folder: folder.path, ...request }),
    images: ({ images }) => images.map((image) => nameOf(image).slice(folder.path.length + 1)),
  };
}

/** What `assert.rejects` expects of an InputError. */
export function inputError(message: RegExp): { readonly name: string; readonly message: RegExp } {
  return { name: "InputError", message };
}
