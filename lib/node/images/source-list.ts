/**
 * A list of image sources for datasets with millions of images. A string or an object for each of them would take ten
 * times the memory of the names themselves. So consecutive sources with the same folder form a group: one string has
 * their names, and the sources are made when they are read.
 */
import type { ImageList } from "../../tasks/image-list.ts";
import { nameOf, type StoredImage } from "../../tasks/image-source.ts";

/** Sources per group. Reading one source splits the names of its group. */
const mostPerGroup = 1024;

/** Not part of any path. */
const separator = "\0";

interface Group {
  readonly start: number;
  /** What the names of all its sources begin with. */
  readonly folder: string;
  /** The rest of each name, joined. */
  readonly names: string;
  /** If the sources are parts of a file: the file, and the offset and size of each part. */
  readonly parts: { readonly file: string; readonly places: Float64Array } | null;
}

/** Image sources in the order in which they were added. Their names have no zero bytes. */
export class SourceList<T extends StoredImage = StoredImage> implements ImageList<T> {
  readonly #groups: Group[] = [];
  #length = 0;
  // The group that is being filled.
  #folder = "";
  #file: string | null = null;
  #names: string[] = [];
  #places: number[] = [];
  // The group that was read last.
  #read: { readonly group: Group; readonly names: readonly string[] } | null = null;

  get length(): number {
    return this.#length;
  }

  add(source: T): void {
    const name = nameOf(source);
    if (name.includes(separator)) throw new Error(`a zero byte in ${JSON.stringify(name)}`);
    const file = typeof source === "string" ? null : source.file;
    const end = name.lastIndexOf("/") + 1;
    const fits = this.#names.length < mostPerGroup && file === this.#file && end === this.#folder.length;
    if (!fits || !name.startsWith(this.#folder)) {
      this.#close();
      this.#folder = name.slice(0, end);
      this.#file = file;
    }
    this.#names.push(name.slice(end));
    if (typeof source !== "string") this.#places.push(source.offset, source.size);
    this.#length += 1;
  }

  #close(): void {
    if (this.#names.length === 0) return;
    const file = this.#file;
    this.#groups.push({
      start: this.#length - this.#names.length,
      folder: this.#folder,
      names: this.#names.join(separator),
      parts: file === null ? null : { file, places: Float64Array.from(this.#places) },
    });
    this.#names = [];
    this.#places = [];
  }

  at(index: number): T | undefined {
    if (!(index >= 0 && index < this.#length)) return undefined;
    this.#close();
    const group = this.#groupOf(index);
    if (this.#read?.group !== group) this.#read = { group, names: group.names.split(separator) };
    return sourceOf(group, this.#read.names, index - group.start) as T; // as it was added
  }

  #groupOf(index: number): Group {
    let [low, high] = [0, this.#groups.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#groups[middle]!.start <= index) low = middle;
      else high = middle;
    }
    return this.#groups[low]!;
  }

  slice(start: number): ImageList<T> {
    return start === 0 ? this : new Rest<T>(this, start);
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let i = 0; i < this.#length; i++) yield this.at(i)!;
  }
}

function sourceOf({ folder, parts }: Group, names: readonly string[], i: number): StoredImage {
  const name = folder + names[i]!;
  if (parts === null) return name;
  return { name, file: parts.file, offset: parts.places[2 * i]!, size: parts.places[2 * i + 1]! };
}

/** The sources of a list from one on. */
class Rest<T> implements ImageList<T> {
  readonly #list: ImageList<T>;
  readonly #start: number;

  constructor(list: ImageList<T>, start: number) {
    this.#list = list;
    this.#start = Math.min(start, list.length);
  }

  get length(): number {
    return this.#list.length - this.#start;
  }

  at(index: number): T | undefined {
    return index < 0 ? undefined : this.#list.at(this.#start + index);
  }

  slice(start: number): ImageList<T> {
    return new Rest<T>(this.#list, this.#start + start);
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.at(i)!;
  }
}
