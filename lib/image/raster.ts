/** Samples regardless of their mode, as the steps of a resize take them. */
import type { Size } from "./image.ts";
import type { Samples } from "./samples.ts";

/** A part of an image, in pixels. */
export interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

export interface Raster<Data extends Samples = Exclude<Samples, Uint8ClampedArray>> extends Size {
  /** [height, width, stride] */
  readonly data: Data;
  readonly bands: number;
  readonly stride: number;
  /** For "I;16B", whose big-endian samples Pillow resizes as if they were little-endian. */
  readonly swapped: boolean;
}
