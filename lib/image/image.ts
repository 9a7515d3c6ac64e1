import { multiply255 } from "./alpha.ts";
import type { Samples } from "./samples.ts";

/**
 * Pillow's modes: "1" bilevel (0 or 255 here), "L" gray, "LA" gray and alpha, "P" palette index, "I;16" and "I;16B"
 * 16-bit gray, "I" 32-bit integers, "F" 32-bit floats.
 */
export type PixelMode = "1" | "L" | "LA" | "P" | "RGB" | "RGBA" | "CMYK" | "I;16" | "I;16B" | "I" | "F";

/**
 * A decoded image in the mode that Pillow gives it.
 *
 * CLIP's reference resizes before it converts to RGB, so the mode affects the pixels: palettes are resized with nearest
 * neighbour, alpha is premultiplied, and 16-bit gray is resized in 16 bits and then clipped.
 */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly mode: PixelMode;
  /** Samples, row by row from the top: [height, width, stride]. The byte order of "I;16B" is already applied. */
  readonly data: Samples;
  /** Items of `data` from one pixel to the next: the mode's bands, or 4 for an "RGB" whose fourth is unused. */
  readonly stride: number;
  /** Mode "P": 256 colours, [256, 3]. */
  readonly palette?: Uint8Array;
}

const bandCounts: Readonly<Record<PixelMode, number>> = {
  "1": 1,
  L: 1,
  LA: 2,
  P: 1,
  RGB: 3,
  RGBA: 4,
  CMYK: 4,
  "I;16": 1,
  "I;16B": 1,
  I: 1,
  F: 1,
};

/** The number of samples of a pixel that a mode uses. */
export function bandsOf(mode: PixelMode): number {
  return bandCounts[mode];
}

/** An array for the samples of a mode. */
export function newSamples(mode: PixelMode, length: number): Exclude<Samples, Uint8ClampedArray> {
  switch (mode) {
    case "I;16":
    case "I;16B":
      return new Uint16Array(length);
    case "I":
      return new Int32Array(length);
    case "F":
      return new Float32Array(length);
    default:
      return new Uint8Array(length);
  }
}

/** An array of the same type as another. */
export function samplesLike(like: Samples, length: number): Exclude<Samples, Uint8ClampedArray> {
  if (like instanceof Uint16Array) return new Uint16Array(length);
  if (like instanceof Int32Array) return new Int32Array(length);
  if (like instanceof Float32Array) return new Float32Array(length);
  return new Uint8Array(length);
}

/**
 * `Image.convert("RGB")`: alpha is dropped, not blended; 16-bit, integer and float gray is clipped to 0…255, not
 * scaled; CMYK goes through `255 − K` without a colour profile.
 *
 * @returns [height, width, 3]
 * Source: Pillow, src/libImaging/Convert.c
 */
export function toRgb(image: DecodedImage): Uint8Array {
  const { width, height, mode, data, stride } = image;
  const pixels = width * height;
  if (mode === "RGB" && stride === 3) return new Uint8Array(data);
  const rgb = new Uint8Array(pixels * 3);
  switch (mode) {
    case "RGB":
    case "RGBA":
      for (let from = 0, to = 0; to < rgb.length; from += stride, to += 3) {
        rgb[to] = data[from]!;
        rgb[to + 1] = data[from + 1]!;
        rgb[to + 2] = data[from + 2]!;
      }
      return rgb;
    case "P": {
      const palette = image.palette!;
      for (let from = 0, to = 0; to < rgb.length; from += stride, to += 3) {
        const colour = data[from]! * 3;
        rgb[to] = palette[colour]!;
        rgb[to + 1] = palette[colour + 1]!;
        rgb[to + 2] = palette[colour + 2]!;
      }
      return rgb;
    }
    case "CMYK":
      for (let from = 0, to = 0; to < rgb.length; from += stride, to += 3) {
        const white = 255 - data[from + 3]!;
        rgb[to] = white - multiply255(data[from]!, white);
        rgb[to + 1] = white - multiply255(data[from + 1]!, white);
        rgb[to + 2] = white - multiply255(data[from + 2]!, white);
      }
      return rgb;
    case "1":
      for (let from = 0, to = 0; to < rgb.length; from += stride, to += 3) {
        rgb.fill(data[from] === 0 ? 0 : 255, to, to + 3);
      }
      return rgb;
    case "L":
    case "LA":
    case "I;16":
    case "I;16B":
    case "I":
    case "F":
      for (let from = 0, to = 0; to < rgb.length; from += stride, to += 3) {
        // Assigning to a Uint8Array truncates a float toward zero, as Pillow's cast does.
        rgb.fill(Math.min(Math.max(data[from]!, 0), 255), to, to + 3);
      }
      return rgb;
  }
}

/** A rectangle's size, in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Copies samples into a larger image.
 *
 * @param source [height, width, stride]
 * @param target [more rows, targetWidth, stride]
 * @param left the column in `target` of the first column of `source`
 * @param top the row in `target` of the first row of `source`
 */
export function paste(
  source: Samples,
  { width, height }: Size,
  target: Samples,
  targetWidth: number,
  left: number,
  top: number,
  stride: number,
): void {
  for (let y = 0; y < height; y++) {
    const from = y * width * stride;
    target.set(source.subarray(from, from + width * stride), ((top + y) * targetWidth + left) * stride);
  }
}

/** The image itself, or its colours, if it has another mode. */
export function asRgb(image: DecodedImage): DecodedImage {
  const { width, height } = image;
  return image.mode === "RGB" ? image : { width, height, mode: "RGB", data: toRgb(image), stride: 3 };
}
