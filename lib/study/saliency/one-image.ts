import type { Tensor4D } from "@tensorflow/tfjs-core";
import { InputError } from "../../errors/input-error.ts";

/** @throws InputError for more than one image */
export function assertOneImage(pixels: Tensor4D, where: string): void {
  if (pixels.shape[0] === 1) return;
  throw new InputError(`${where}: expected one image, found ${pixels.shape[0]}`);
}
