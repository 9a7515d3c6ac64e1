/** The files of a drop, with those in folders. */

export interface DroppedFile {
  /** Relative to what was dropped: "FOLDER/FILE", or the file's name. */
  readonly path: string;
  readonly file: File;
}

/** More files are not read: a folder may hold anything. */
const mostFiles = 20_000;

/** The files of a drop or a paste. Must be called while the event is handled. */
export function filesOf(data: DataTransfer | null): Promise<DroppedFile[]> {
  const entries = [...(data?.items ?? [])].map((item) => item.webkitGetAsEntry());
  const plain = [...(data?.files ?? [])];
  if (!entries.some((entry) => entry?.isDirectory === true)) return Promise.resolve(plain.map(withPath));
  return collect(entries.filter((entry) => entry !== null));
}

/** A file of a file dialog, which knows its folder if one was chosen. */
export function withPath(file: File): DroppedFile {
  return { path: file.webkitRelativePath === "" ? file.name : file.webkitRelativePath, file };
}

async function collect(entries: readonly FileSystemEntry[]): Promise<DroppedFile[]> {
  const found: DroppedFile[] = [];
  const waiting = [...entries];
  for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
    if (found.length >= mostFiles) break;
    if (entry.isDirectory) waiting.push(...(await childrenOf(entry as FileSystemDirectoryEntry)));
    else
      found.push({
        path: entry.fullPath.replace(/^\//, ""),
        file: await fileOf(entry as FileSystemFileEntry),
      });
  }
  return found;
}

/** A reader gives some entries at a time, and none at the end. */
async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => {
      reader.readEntries(resolve, reject);
    });
    if (some.length === 0) return found;
    found.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => {
    entry.file(resolve, reject);
  });
}
