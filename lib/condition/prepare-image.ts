/** How generators' pipelines prepare images. All start from RGB. */
import { toRgb, type DecodedImage } from "../image/image.ts";
import { resize } from "../image/resize.ts";
import { assertResizable, normalisePixels, transform, type PreprocessConfig } from "../image/transform.ts";
import { blurredResize } from "./blurred-resize.ts";

/**
 * transformers: CLIPImageProcessor with Pillow. open_clip: the model's evaluation transform. squash: resized to the input
 * size whatever the aspect ratio. svd: blurred and squashed, as Stable Video Diffusion does.
 */
export const preparations = ["transformers", "open_clip", "squash", "svd"] as const;

/** The name of a preparation. */
export type Preparation = (typeof preparations)[number];

/**
 * Prepares an image.
 *
 * @param config the model's preprocessing; its size, mean and std are used by all
 * @returns [3, height, width]
 * @throws AspectRatioError for an image that is too narrow
 */
export function prepareImage(
  image: DecodedImage,
  config: PreprocessConfig,
  preparation: Preparation,
): Float32Array {
  switch (preparation) {
    case "open_clip":
      return transform(image, config);
    case "squash":
      return transform(image, { ...config, resizeMode: "squash" });
    case "transformers":
      return normalisePixels(croppedAsTransformers(asRgb(image), config), config);
    case "svd":
      return blurredResize(asRgb(image), config);
  }
}

function asRgb(image: DecodedImage): DecodedImage {
  const { width, height } = image;
  return image.mode === "RGB" ? image : { width, height, mode: "RGB", data: toRgb(image), stride: 3 };
}

/**
 * The shorter edge is resized to the input's, then the centre is cropped. The crop begins at the floor of half the
 * difference; open_clip rounds a half to the even number.
 *
 * Source: transformers, models/clip/image_processing_pil_clip.py and image_transforms.py, center_crop
 */
function croppedAsTransformers(image: DecodedImage, { size: [height, width] }: PreprocessConfig): Uint8Array {
  const edge = Math.min(height, width);
  const short = Math.min(image.width, image.height);
  const resized = {
    width: Math.trunc((edge * image.width) / short),
    height: Math.trunc((edge * image.height) / short),
  };
  assertResizable(image, resized);
  const left = Math.floor((resized.width - width) / 2);
  const top = Math.floor((resized.height - height) / 2);
  return toRgb(resize(image, resized, "bicubic", { left, top, width, height }));
}
