/** Folders of many images: hard links to a few files. */
import { copyFileSync, linkSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** Links per file, below the limit of ext4. */
const linksPerFile = 50_000;

/**
 * Fills folders with links to an image, the same number in each.
 *
 * @returns the folder that holds them
 */
export function manyImages(root: string, image: string, count: number, folders = 1): string {
  const album = join(root, `album-${count}`);
  for (let f = 0; f < folders; f++) mkdirSync(join(album, `class ${f}`), { recursive: true });
  const ending = image.slice(image.lastIndexOf("."));
  let original = "";
  for (let i = 0; i < count; i++) {
    if (i % linksPerFile === 0)
      copyFileSync(image, (original = join(root, `original-${count}-${i}${ending}`)));
    linkSync(original, join(album, `class ${i % folders}`, `${String(i).padStart(7, "0")}${ending}`));
  }
  return album;
}
