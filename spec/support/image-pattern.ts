import type { DecodedImage } from "../../lib/image/image.ts";

/** An image without symmetry, in any mode of 8-bit samples. */
export function pattern(
  mode: "P" | "L" | "LA" | "RGB" | "RGBA",
  width: number,
  height: number,
): DecodedImage {
  const stride = { P: 1, L: 1, LA: 2, RGB: 3, RGBA: 4 }[mode];
  const data = Uint8Array.from({ length: width * height * stride }, (_, i) => (i * i * 31 + i * 7) % 256);
  return { width, height, mode, data, stride };
}
