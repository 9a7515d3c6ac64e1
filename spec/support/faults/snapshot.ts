/** The content of folders, to compare them. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Path in the folder → what is there: "folder", "→ TARGET" of a link, or the bytes of a file in latin1. */
export type Snapshot = ReadonlyMap<string, string>;

export function snapshot(folder: string): Snapshot {
  const found = new Map<string, string>();
  const visit = (below: string): void => {
    for (const name of readdirSync(join(folder, below)).sort()) {
      const path = join(below, name);
      const kind = lstatSync(join(folder, path));
      if (kind.isSymbolicLink()) found.set(path, `→ ${readlinkSync(join(folder, path))}`);
      else if (kind.isFile()) found.set(path, readFileSync(join(folder, path), "latin1"));
      else {
        found.set(path, "folder");
        visit(path);
      }
    }
  };
  visit("");
  return found;
}

/** The paths that differ, with their sizes, for messages. */
export function differences(found: Snapshot, expected: Snapshot): string[] {
  const describe = (text: string | undefined): string =>
    text === undefined
      ? "nothing"
      : text === "folder" || text.startsWith("→")
        ? text
        : `${text.length} bytes`;
  return [...new Set([...found.keys(), ...expected.keys()])]
    .filter((path) => found.get(path) !== expected.get(path))
    .map((path) => `${path}: ${describe(found.get(path))} instead of ${describe(expected.get(path))}`);
}
