/** Writes drawings into a folder: rasters as PNG, charts as SVG. */
import { join } from "node:path";
import { encodePng } from "../../draw/png.ts";
import type { Raster } from "../../draw/raster.ts";
import { writeWhole } from "./write-file.ts";

/**
 * Writes each drawing under its name.
 *
 * @param folder an existing folder
 * @param drawings rasters, or the texts of SVG files
 * @returns the paths of the files
 * @throws InputError if a file cannot be written
 */
export async function writeDrawings(
  folder: string,
  drawings: ReadonlyMap<string, Raster | string>,
): Promise<string[]> {
  const files: string[] = [];
  for (const [name, drawing] of drawings) {
    const isChart = typeof drawing === "string";
    const file = join(folder, `${name}.${isChart ? "svg" : "png"}`);
    await writeWhole(file, [isChart ? new TextEncoder().encode(drawing) : await encodePng(drawing)]);
    files.push(file);
  }
  return files;
}
