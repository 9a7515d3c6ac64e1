/** The folders whose images a server may show. */
import { realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { readIndexFileIfThere } from "../retrieval/read-index-file.ts";
import { readPlan } from "../retrieval/read-plan.ts";

/** Characters from which on the rest of a source is a pattern. */
const pattern = /[*?[{]/;

/**
 * The folders of an index's sources. A source that is a file has its folder. A folder in clip-retrieval's layout records
 * none.
 *
 * @param path of the index
 */
export async function recordedRoots(path: string): Promise<string[]> {
  const index = await readIndexFileIfThere(path);
  if (index === null) return [];
  const roots = new Set<string>();
  for (const entry of index.plans) {
    const { sources, base } = await readPlan(path, entry);
    for (const source of sources) roots.add(await folderOf(resolve(base, source)));
  }
  return [...roots];
}

async function folderOf(source: string): Promise<string> {
  const at = source.search(pattern);
  if (at !== -1) return dirname(`${source.slice(0, at)}x`);
  const found = await stat(source).catch(() => null);
  return found?.isDirectory() === true ? source : dirname(source);
}

export class ImageRoots {
  /** Without links. */
  readonly #roots: readonly string[];

  private constructor(roots: readonly string[]) {
    this.#roots = roots;
  }

  /**
   * @param recorded folders that are left out if they are gone
   * @param given folders that must exist
   * @throws InputError for a folder that does not
   */
  static async open(recorded: readonly string[], given: readonly string[]): Promise<ImageRoots> {
    const roots = await Promise.all(recorded.map((folder) => realpath(folder).catch(() => null)));
    for (const folder of given) {
      const found = await stat(folder).catch(() => null);
      if (found?.isDirectory() !== true) {
        throw new InputError(`--root ${folder}: expected a folder, found none`);
      }
      roots.push(await realpath(folder));
    }
    return new ImageRoots([...new Set(roots.filter((root) => root !== null))]);
  }

  get count(): number {
    return this.#roots.length;
  }

  /** The file without links, if it exists and is below one of the folders; else null. */
  async find(path: string): Promise<string | null> {
    const real = await realpath(path).catch(() => null);
    return real !== null && this.#rootOf(real) !== null ? real : null;
  }

  /**
   * A path as clients see it: a relative one as it is, an absolute one from its root's own name on; null for paths
   * outside, whose folders are nobody's business.
   */
  shown(path: string): string | null {
    if (!isAbsolute(path)) return path.split(/[/\\]/).includes("..") ? null : path;
    const root = this.#rootOf(path);
    return root === null ? null : join(basename(root), relative(root, path)).split(sep).join("/");
  }

  #rootOf(path: string): string | null {
    const inside = (root: string): boolean => path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
    return this.#roots.find(inside) ?? null;
  }
}
