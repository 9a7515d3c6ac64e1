/**
 * A model of what a disk holds after a power failure: of each file what was synced last, and of each folder either the
 * names that were synced last, or all changes of names. Real file systems are between these two.
 */
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, relative } from "node:path";
import type { FileCall } from "./file-calls.ts";
import type { Snapshot } from "./snapshot.ts";

interface Folder {
  readonly kind: "folder";
  readonly entries: Map<string, Node>;
  synced: ReadonlyMap<string, Node>;
}

type Node =
  { readonly kind: "file"; synced: string } | { readonly kind: "link"; readonly target: string } | Folder;

/** `synced`: names as of the last sync of their folder. `changed`: names as the program left them. */
export type Names = "synced" | "changed";

export class PowerFailure {
  readonly #folder: string;
  readonly #root: Folder;

  /** @param folder whose content counts as synced */
  constructor(folder: string) {
    this.#folder = folder;
    this.#root = readFolder(folder);
  }

  /** Records a call that has been done. */
  record({ name, paths }: Pick<FileCall, "name" | "paths">): void {
    const [path, target] = paths.map((absolute) => relative(this.#folder, absolute).split("/"));
    switch (name) {
      case "open":
        // An open file may have been there. If it was emptied, its content is not safe any more.
        if (this.#find(path!) === undefined) this.#put(path!, { kind: "file", synced: "" });
        return;
      case "mkdir":
        // `recursive` makes the parents, too.
        for (let depth = 1; path![0] !== "" && depth <= path!.length; depth++) {
          const parent = path!.slice(0, depth);
          if (this.#find(parent) === undefined)
            this.#put(parent, { kind: "folder", entries: new Map(), synced: new Map() });
        }
        return;
      case "symlink":
        this.#put(path!, { kind: "link", target: readlinkSync(paths[0]!) });
        return;
      case "link":
        this.#put(target!, this.#find(path!)!);
        return;
      case "copy":
        this.#put(target!, { kind: "file", synced: "" });
        return;
      case "rename":
        this.#put(target!, this.#find(path!)!);
        this.#delete(path!);
        return;
      case "remove":
        this.#delete(path!);
        return;
      case "sync":
        this.#sync(path!, paths[0]!);
    }
  }

  /** What the disk may hold. */
  state(names: Names): Snapshot {
    const found = new Map<string, string>();
    const visit = (folder: Folder, below: string): void => {
      for (const [name, node] of names === "synced" ? folder.synced : folder.entries) {
        const path = join(below, name);
        if (node.kind === "file") found.set(path, node.synced);
        else if (node.kind === "link") found.set(path, `→ ${node.target}`);
        else {
          found.set(path, "folder");
          visit(node, path);
        }
      }
    };
    visit(this.#root, "");
    return found;
  }

  #sync(path: readonly string[], absolute: string): void {
    const node = path[0] === "" ? this.#root : this.#find(path);
    if (node?.kind === "folder") node.synced = new Map(node.entries);
    else if (node?.kind === "file") node.synced = readFileSync(absolute, "latin1");
  }

  #folderOf(path: readonly string[]): Map<string, Node> | undefined {
    let folder = this.#root;
    for (const name of path.slice(0, -1)) {
      const inner = folder.entries.get(name);
      if (inner?.kind !== "folder") return undefined;
      folder = inner;
    }
    return folder.entries;
  }

  #find(path: readonly string[]): Node | undefined {
    return this.#folderOf(path)?.get(path.at(-1)!);
  }

  #put(path: readonly string[], node: Node): void {
    this.#folderOf(path)!.set(path.at(-1)!, node);
  }

  #delete(path: readonly string[]): void {
    this.#folderOf(path)?.delete(path.at(-1)!);
  }
}

function readFolder(folder: string): Folder {
  const entries = new Map<string, Node>();
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const kind = lstatSync(path);
    if (kind.isSymbolicLink()) entries.set(name, { kind: "link", target: readlinkSync(path) });
    else if (kind.isFile()) entries.set(name, { kind: "file", synced: readFileSync(path, "latin1") });
    else entries.set(name, readFolder(path));
  }
  return { kind: "folder", entries, synced: new Map(entries) };
}

/** Makes the state in an empty folder. A restart ends all processes, so locks are left out: they would be taken over. */
export function restore(state: Snapshot, folder: string): void {
  for (const [path, content] of state) {
    if (content === "folder") mkdirSync(join(folder, path));
    else if (!content.startsWith("→ ")) writeFileSync(join(folder, path), content, "latin1");
    else if (!path.endsWith(".lock")) symlinkSync(content.slice(2), join(folder, path));
  }
}
