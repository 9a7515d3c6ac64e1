/**
 * Matches of a pattern, as a shell expands it. The library lists what a pattern matches as a whole, which takes hundreds
 * of megabytes for a million files; here it matches the names in one folder at a time.
 */
import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { glob, isDynamicPattern, type FileSystemAdapter, type GlobOptions } from "tinyglobby";
import { compareCodePoints } from "../../features/code-points.ts";

/** The folder before the first wildcard of a pattern. */
export function staticPart(pattern: string): string {
  const parts = pattern.split("/");
  const fixed = parts.slice(
    0,
    parts.findIndex((part) => isDynamicPattern(part)),
  );
  return fixed.join("/") || (pattern.startsWith("/") ? "/" : ".");
}

/**
 * The paths that match a pattern, in the order of their code points; those of folders end with "/". Wildcards match no
 * hidden names. Links to folders are followed where the pattern goes on behind them, except by `**`.
 */
export async function* matches(pattern: string): AsyncGenerator<string, void, undefined> {
  const parts = partsOf(pattern);
  const last = parts.pop() ?? "";
  const folders = await foldersOf(pattern.startsWith("/") ? "/" : "", parts);
  let next = 0;
  while (next < folders.length) yield* inNextFolder();

  /** With the folders below it, merged in order. */
  async function* inNextFolder(): AsyncGenerator<string, void, undefined> {
    const folder = folders[next++]!;
    if (last === "**" && folder !== "") yield folder;
    const isBelow = (): boolean => folders[next]?.startsWith(folder) === true;
    for (const name of await matchesIn(folder, last)) {
      const path = folder + name;
      while (isBelow() && compareCodePoints(folders[next]!, path) < 0) yield* inNextFolder();
      yield path;
    }
    while (isBelow()) yield* inNextFolder();
  }
}

/** Split at each "/" that is not inside brackets. */
function partsOf(pattern: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of pattern) {
    if (character === "(" || character === "[") depth += 1;
    else if (character === ")" || character === "]") depth -= 1;
    if (character === "/" && depth <= 0) parts.push("");
    else parts[parts.length - 1]! += character;
  }
  return parts.filter((part) => part !== "" && part !== ".");
}

/** The folders below `start` that match, sorted. Their paths are empty or end with "/". */
async function foldersOf(start: string, parts: readonly string[]): Promise<string[]> {
  let folders = [start];
  for (const part of parts) {
    const found: string[] = [];
    for (const folder of folders) for (const one of await step(folder, part)) found.push(one);
    folders = [...new Set(found)];
  }
  return folders.sort(compareCodePoints);
}

/** Where one part of a pattern leads from a folder. */
async function step(folder: string, part: string): Promise<string[]> {
  if (!isDynamicPattern(part)) {
    const path = join(folder, part.replace(/\\(.)/g, "$1"));
    if (!(await isFolder(path))) return [];
    return [path === "." ? "" : path.replace(/\/?$/, "/")];
  }
  if (part === "**") {
    const below = await match(folder, part, { onlyDirectories: true, followSymbolicLinks: false });
    return [folder, ...below.map((name) => folder + name)];
  }
  const names = await matchesIn(folder, part, followingLinks);
  return names.filter((name) => name.endsWith("/")).map((name) => folder + name);
}

/** The names in a folder that match, sorted; those of folders end with "/". Links to folders are left out. */
async function matchesIn(folder: string, part: string, fs?: FileSystemAdapter): Promise<string[]> {
  const options = { ...(part.includes("/") ? {} : { deep: 0 }), ...(fs && { fs }) };
  return (await match(folder, part, options)).sort(compareCodePoints);
}

function match(folder: string, pattern: string, options: GlobOptions): Promise<string[]> {
  return glob(pattern.replace(/^!(?!\()/, "\\!"), {
    onlyFiles: false,
    expandDirectories: false,
    caseSensitiveMatch: true,
    cwd: folder === "" ? "." : folder,
    ...options,
  });
}

/** Lists links to folders as folders. */
const followingLinks: FileSystemAdapter = {
  readdir: ((path: string, options: { readonly withFileTypes: true }, done: Listed) => {
    readdir(path, options).then(
      async (entries) => {
        done(null, await Promise.all(entries.map((entry) => followed(path, entry))));
      },
      (error: unknown) => {
        done(error as Error, []);
      },
    );
  }) as unknown as NonNullable<FileSystemAdapter["readdir"]>,
};

type Listed = (error: Error | null, entries: Dirent[]) => void;

async function followed(path: string, entry: Dirent): Promise<Dirent> {
  if (!entry.isSymbolicLink() || !(await isFolder(join(path, entry.name)))) return entry;
  return Object.assign(entry, { isDirectory: () => true, isSymbolicLink: () => false });
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
