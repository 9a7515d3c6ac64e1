/** Dropped images that show the rows of a features file. */
import { signal } from "@preact/signals";
import type { DroppedFile } from "./dropped-files.ts";

interface Thumbnail {
  /** From the last folder to the first. */
  readonly parts: readonly string[];
  readonly url: string;
}

/** By the files' names without folders. */
const byName = signal<ReadonlyMap<string, readonly Thumbnail[]>>(new Map());

export function addThumbnails(files: readonly DroppedFile[]): void {
  const all = new Map(byName.value);
  for (const { path, file } of files) {
    const parts = path.split("/").reverse();
    all.set(parts[0]!, [...(all.get(parts[0]!) ?? []), { parts, url: URL.createObjectURL(file) }]);
  }
  byName.value = all;
}

/** The image of a path: of the same name, and of those the one that shares most folders; null if there is none. */
export function thumbnailOf(path: string): string | null {
  const parts = path.split(/[/\\]/).reverse();
  const shared = ({ parts: others }: Thumbnail): number => {
    const end = parts.findIndex((part, i) => part !== others[i]);
    return end === -1 ? parts.length : end;
  };
  const candidates = (byName.value.get(parts[0]!) ?? []).toSorted((a, b) => shared(b) - shared(a));
  return candidates[0]?.url ?? null;
}
