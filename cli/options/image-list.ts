/** Lists of image files that people hand in. */
import { labelled, type LabelledImages } from "../../lib/node/images/labelled-images.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { readLines } from "./text-file.ts";

/**
 * Reads a list: a path a line, with a tab and the name of its class behind on all lines or on none. Paths are relative
 * to the folder where the command runs.
 *
 * @throws InputError if it cannot be read, is empty, or only some lines have a class
 */
export async function readImageList(file: string): Promise<LabelledImages> {
  const lines = (await readLines(file)).map((line) => line.replace(/\r$/, "")).filter((line) => line !== "");
  if (lines.length === 0) throw new InputError(`${file}: expected image files, one a line, found none`);
  const fields = lines.map((line) => line.split("\t"));
  const paths = fields.map(([path]) => path!);
  const classes = fields.flatMap(([, name]) => (name === undefined ? [] : [name.trim()]));
  if (classes.length === 0) return { images: paths, labels: null, classNames: null };
  const bad = fields.findIndex(
    ([, name, more]) => name === undefined || name.trim() === "" || more !== undefined,
  );
  if (bad === -1) return labelled(paths, classes);
  throw new InputError(
    `${file}: entry ${bad + 1}: expected a path, a tab and a class, as on other lines; found ${JSON.stringify(lines[bad])}`,
  );
}
