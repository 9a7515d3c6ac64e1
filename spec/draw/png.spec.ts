import assert from "node:assert/strict";
import { Jimp } from "jimp";
import { encodePng } from "../../lib/draw/png.ts";
import { Raster } from "../../lib/draw/raster.ts";

describe("encodePng", () => {
  it("keeps every pixel", async () => {
    const raster = new Raster(3, 2).paint((x, y) => [10 * x, 20 * y, 255]);
    const { width, height, data } = (await Jimp.read(Buffer.from(await encodePng(raster)))).bitmap;
    assert.deepEqual([width, height], [3, 2]);
    assert.deepEqual([...data.subarray(4 * 4, 4 * 5)], [10, 20, 255, 255]);
  });
});
