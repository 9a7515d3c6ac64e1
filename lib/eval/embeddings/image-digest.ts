/** Which images a dataset has, whatever the folder it is in. */
import { sha256OfJson } from "../../features/digest.ts";
import type { FileSystem } from "../../features/host.ts";
import { fileOf, nameOf, type ImageSource } from "../../tasks/image-source.ts";

/**
 * A digest of the images' names below their common folder, their places in tars, and the versions of the files. It does
 * not depend on labels or captions, nor on the current folder.
 */
export async function digestOfImages(
  files: Pick<FileSystem, "version">,
  images: readonly ImageSource[],
): Promise<string> {
  const root = commonFolder(images.map(fileOf));
  const versions = new Map<string, string>();
  for (const file of new Set(images.map(fileOf))) versions.set(file, await files.version(file));
  const states = images.map((image) => {
    const place = typeof image === "object" && "offset" in image ? [image.offset, image.size] : [];
    return [nameOf(image).slice(root.length), versions.get(fileOf(image)), ...place];
  });
  return sha256OfJson(states);
}

/** The folder that all paths share, with its "/"; empty if there is none. */
export function commonFolder(paths: readonly string[]): string {
  let common = paths[0] ?? "";
  for (const path of paths) while (!path.startsWith(common)) common = common.slice(0, -1);
  return common.slice(0, common.lastIndexOf("/") + 1);
}
