/** Images that annotations name. */
import { InputError } from "../../errors/input-error.ts";
import { joinPath, type DatasetFiles } from "../dataset-files.ts";

const mostListed = 3;

/**
 * The paths of images.
 *
 * @param names below the folder, with "/"
 * @throws InputError if some are missing, or a name leads out of the folder
 */
export async function imagesIn(
  files: DatasetFiles,
  folder: string,
  names: readonly string[],
): Promise<string[]> {
  assertInside(folder, names);
  const present = new Map<string, ReadonlySet<string>>();
  const isThere = async (name: string): Promise<boolean> => {
    const [parent, base] = splitPath(name);
    if (!present.has(parent)) present.set(parent, await namesIn(files, joinPath(folder, parent)));
    return present.get(parent)!.has(base);
  };
  const missing: string[] = [];
  for (const name of names) if (!(await isThere(name))) missing.push(name);
  if (missing.length === 0) return names.map((name) => joinPath(folder, name));
  const shown = missing.slice(0, mostListed).join(", ");
  throw new InputError(
    `${folder}: expected ${names.length} images that the annotations name, ${missing.length} missing ` +
      `(${shown}${missing.length > mostListed ? ", …" : ""}); download them`,
  );
}

/** Annotations do not choose files elsewhere. @throws InputError if a name leads out of the folder */
export function assertInside(folder: string, names: readonly string[]): void {
  const outside = names.find((name) => name.split(/[/\\]/).includes(".."));
  if (outside === undefined) return;
  throw new InputError(
    `${folder}: the annotations name the image ${JSON.stringify(outside)}, which is outside the folder; remove it from them`,
  );
}

/** A path's folder, empty if it has none, and its last part. */
export function splitPath(path: string): [folder: string, name: string] {
  const end = path.lastIndexOf("/");
  return [path.slice(0, Math.max(end, 0)), path.slice(end + 1)];
}

async function namesIn(files: DatasetFiles, folder: string): Promise<ReadonlySet<string>> {
  if ((await files.kindOf(folder)) !== "folder") return new Set();
  return new Set((await files.list(folder)).map(({ name }) => name));
}
