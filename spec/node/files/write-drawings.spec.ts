import assert from "node:assert/strict";
import { readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { Jimp } from "jimp";
import { Raster } from "../../../lib/draw/raster.ts";
import { writeDrawings } from "../../../lib/node/files/write-drawings.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const drawing = new Raster(2, 1);
drawing.rgb.set([255, 0, 0, 0, 0, 255]);

describe("writeDrawings", () => {
  const folder = temporaryFolder();

  it("writes rasters as PNG and charts as SVG", async () => {
    const drawings = new Map<string, Raster | string>([
      ["map", drawing],
      ["chart", "<svg/>"],
    ]);
    const paths = [folder.file("map.png"), folder.file("chart.svg")];
    assert.deepEqual(await writeDrawings(folder.path, drawings), paths);
    assert.equal(await readFile(paths[1]!, "utf8"), "<svg/>");
    const { bitmap } = await Jimp.read(paths[0]!);
    assert.deepEqual([bitmap.width, bitmap.height, ...bitmap.data], [2, 1, 255, 0, 0, 255, 0, 0, 255, 255]);
    assert.deepEqual((await readdir(folder.path)).sort(), ["chart.svg", "map.png"]);
  });

  it("replaces no image that it was made from, under whichever name", async () => {
    await writeFile(folder.file("map.png"), "the photo");
    await symlink("map.png", folder.file("photo.png"));
    const drawings = new Map<string, Raster | string>([
      ["chart", "<svg/>"],
      ["map", drawing],
    ]);
    await assert.rejects(
      writeDrawings(folder.path, drawings, [folder.file("photo.png")]),
      /map\.png: is an input, which would be overwritten; write to another file/,
    );
    assert.equal(await readFile(folder.file("map.png"), "utf8"), "the photo");
    assert.deepEqual((await readdir(folder.path)).sort(), ["map.png", "photo.png"]);
  });
});
