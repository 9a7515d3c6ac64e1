/** Lists of image files: `embed --list`. */
import { labelled, type LabelledImages } from "../../lib/features/labelled-images.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { inputName, readLines, type StandardInput } from "./read-lines.ts";

/**
 * Reads a list with one path per line. Either all lines or none have a tab and a class name after the path. Paths are
 * relative to the working directory.
 *
 * @throws InputError if the list cannot be read, is empty, or only some lines have a class
 */
export async function readImageList(file: string, stdin: StandardInput): Promise<LabelledImages> {
  const lines = (await readLines(file, stdin))
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => line !== "");
  if (lines.length === 0) {
    throw new InputError(`${inputName(file)}: expected one image file per line, found an empty list`);
  }
  const fields = lines.map((line) => line.split("\t"));
  const paths = fields.map(([path]) => path!);
  const classes = fields.flatMap(([, name]) => (name === undefined ? [] : [name.trim()]));
  if (classes.length === 0) return { images: paths, labels: null, classNames: null };
  const bad = fields.findIndex(
    ([, name, more]) => name === undefined || name.trim() === "" || more !== undefined,
  );
  if (bad === -1) return labelled(paths, classes);
  throw new InputError(
    `${inputName(file)}: entry ${bad + 1}: expected a path, a tab and a class, as on other lines; found ${JSON.stringify(lines[bad])}`,
  );
}
