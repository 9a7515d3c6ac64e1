/** Writes drawings into a folder: rasters as PNG, charts as SVG. */
import { join } from "node:path";
import { encodePng } from "../../draw/png.ts";
import type { Raster } from "../../draw/raster.ts";
import { placeFor } from "./output-path.ts";
import { writeTogether } from "./write-file.ts";

/**
 * Writes each drawing under its name, all or none.
 *
 * @param folder an existing folder
 * @param drawings rasters, or the texts of SVG files
 * @param inputs as for `placeFor`
 * @returns the paths of the files
 * @throws InputError if a file cannot be written, is an input, or another process writes it
 */
export async function writeDrawings(
  folder: string,
  drawings: ReadonlyMap<string, Raster | string>,
  inputs: readonly string[] = [],
): Promise<string[]> {
  const paths = Array.from(drawings, ([name, drawing]) =>
    join(folder, `${name}.${typeof drawing === "string" ? "svg" : "png"}`),
  );
  for (const path of paths) await placeFor(path, inputs);
  await writeTogether(paths, async (files) => {
    for (const [i, drawing] of [...drawings.values()].entries()) {
      const isChart = typeof drawing === "string";
      await files[i]!.write(isChart ? new TextEncoder().encode(drawing) : await encodePng(drawing));
    }
  });
  return paths;
}
