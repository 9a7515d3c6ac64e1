/** The files of datasets under Node. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { DatasetFiles, FolderEntry } from "../../eval/dataset-files.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { FileSource, unreadable } from "../files/file-source.ts";
import { listTar } from "../images/tar-index.ts";

/** In bytes: 1 GiB. CLIP_benchmark's largest text file, with all its class prompts, has 20 MB. */
const largestFile = 2 ** 30;

export const datasetFiles: DatasetFiles = {
  async kindOf(path) {
    const found = await stat(path).catch(() => null);
    return found === null ? null : found.isDirectory() ? "folder" : "file";
  },

  async list(folder) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      throw unreadable(folder, error);
    });
    const described = entries.map(async (entry): Promise<FolderEntry> => {
      if (!entry.isSymbolicLink()) return { name: entry.name, isFolder: entry.isDirectory() };
      const target = await stat(join(folder, entry.name)).catch(() => null);
      return { name: entry.name, isFolder: target?.isDirectory() ?? false };
    });
    return (await Promise.all(described)).sort((a, b) => compareCodePoints(a.name, b.name));
  },

  bytes: readWhole,

  async text(path) {
    const bytes = await readWhole(path);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (cause) {
      throw new InputError(`${path}: expected text in UTF-8, found other bytes`, [], { cause });
    }
  },

  async tar(path) {
    const members = await listTar(path);
    return Array.from(members, (member) => ({ ...member, path: member.name.slice(path.length + 1) }));
  },

  async parts(parts, most) {
    if (parts.length === 0) return [];
    const file = await FileSource.open(parts[0]!.file);
    try {
      return parts.map(({ name, offset, size }) => {
        if (size <= most) return file.readSync(offset, size);
        throw new InputError(`${name}: expected at most ${most} bytes, found ${size}`);
      });
    } finally {
      await file.close();
    }
  },
};

async function readWhole(path: string): Promise<Uint8Array> {
  const file = await FileSource.open(path);
  try {
    if (file.size <= largestFile) return await file.read(0, file.size);
    throw new InputError(`${path}: expected at most ${largestFile} bytes, found ${file.size}`);
  } finally {
    await file.close();
  }
}
