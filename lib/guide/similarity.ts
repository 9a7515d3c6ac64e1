/** The similarity of a finished image to texts, as `search` computes it: one view, without cutouts. */
import { matMul, tensor4d } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import type { Raster } from "../draw/raster.ts";
import { transform } from "../image/transform.ts";
import { disposing } from "../tensor/disposing.ts";
import { rasterImage } from "./canvas.ts";

/**
 * @param model any model: another one than that which guided the image is the better judge
 * @returns the cosine for each text
 */
export async function imageSimilarities(
  model: Clip,
  image: Raster,
  texts: readonly string[],
): Promise<number[]> {
  const [height, width] = model.preprocess.size;
  const pixels = tensor4d(transform(rasterImage(image), model.preprocess), [1, 3, height, width]);
  const embedding = await disposing(pixels, (input) => model.encodeImage(input, { normalize: true }));
  return disposing(embedding, async (images) =>
    disposing(await model.encodeText(texts, { normalize: true }), async (embedded) => {
      const cosines = matMul(embedded, images, false, true);
      return disposing(cosines, async (tensor) => [...(await tensor.data<"float32">())]);
    }),
  );
}
