/** Images of noise at several scales, which take a decoder as long as photographs do. */
import { Jimp } from "jimp";

/** The side of the noise's squares, for images of 640 × 480. */
const cells = [160, 40, 8];

/**
 * Different JPEGs, the same in every run.
 *
 * @param shrink of 640 × 480: 1, 2, 4 or 8
 */
export async function noiseJpegs(count: number, shrink = 1): Promise<Buffer[]> {
  const [width, height] = [640 / shrink, 480 / shrink];
  let state = 1;
  const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const images: Buffer[] = [];
  for (let i = 0; i < count; i++) {
    const image = new Jimp({ width, height });
    for (const cell of cells) {
      const layer = new Jimp({ width: 640 / cell, height: 480 / cell });
      const { data } = layer.bitmap;
      for (let at = 0; at < data.length; at++) data[at] = at % 4 === 3 ? 110 : Math.floor(256 * random());
      image.composite(layer.resize({ w: width, h: height }), 0, 0);
    }
    images.push(await image.getBuffer("image/jpeg", { quality: 87 }));
  }
  return images;
}
