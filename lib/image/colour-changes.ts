/**
 * Brightness, contrast, saturation, hue and greyscale of 8-bit RGB images, with Pillow's numbers.
 *
 * Source: Pillow, ImageEnhance.py, libImaging/Blend.c and Convert.c (rgb2hsv, hsv2rgb); torchvision,
 * transforms/_functional_pil.py.
 */

/** Changes [pixels, 3] in place. */
export type ColourChange = (rgb: Uint8Array, factor: number) => void;

/** Between black (0) and the image (1), or beyond. */
export const changeBrightness: ColourChange = (rgb, factor) => {
  blend(rgb, factor, () => 0);
};

/** Between the mean grey (0) and the image (1), or beyond. */
export const changeContrast: ColourChange = (rgb, factor) => {
  let sum = 0;
  for (let at = 0; at < rgb.length; at += 3) sum += greyAt(rgb, at);
  const mean = Math.floor(sum / (rgb.length / 3) + 0.5);
  blend(rgb, factor, () => mean);
};

/** Between the greyscale image (0) and the image (1), or beyond. */
export const changeSaturation: ColourChange = (rgb, factor) => {
  blend(rgb, factor, (at) => greyAt(rgb, at));
};

/** Turns the hue. @param factor in full turns, −0.5 to 0.5 */
export const changeHue: ColourChange = (rgb, factor) => {
  const shift = Math.trunc(factor * 255);
  for (let at = 0; at < rgb.length; at += 3) {
    const [hue, saturation, value] = toHsv(rgb[at]!, rgb[at + 1]!, rgb[at + 2]!);
    rgb.set(fromHsv((hue + shift) & 255, saturation, value), at);
  }
};

/** Greyscale in three equal channels. */
export function makeGrey(rgb: Uint8Array): void {
  for (let at = 0; at < rgb.length; at += 3) rgb.fill(greyAt(rgb, at), at, at + 3);
}

const greyAt = (rgb: Uint8Array, at: number): number =>
  (19595 * rgb[at]! + 38470 * rgb[at + 1]! + 7471 * rgb[at + 2]! + 0x8000) >> 16;

/** Pillow blends in float32 and cuts off the fraction. @param other the value at a pixel that factor 0 gives */
function blend(rgb: Uint8Array, factor: number, other: (at: number) => number): void {
  const alpha = Math.fround(factor);
  for (let at = 0; at < rgb.length; at += 3) {
    const from = other(at);
    for (let channel = at; channel < at + 3; channel++) {
      const mixed = Math.fround(from + Math.fround(alpha * (rgb[channel]! - from)));
      rgb[channel] = Math.trunc(Math.min(255, Math.max(0, mixed)));
    }
  }
}

type Triple = [number, number, number];

function toHsv(red: number, green: number, blue: number): Triple {
  const most = Math.max(red, green, blue);
  const range = most - Math.min(red, green, blue);
  if (range === 0) return [0, 0, most];
  const part = (channel: number): number => Math.fround((most - channel) / range);
  const [r, g, b] = [part(red), part(green), part(blue)];
  const sixth = Math.fround(red === most ? Math.fround(b - g) : green === most ? 2 + r - b : 4 + g - r);
  const hue = Math.fround((sixth / 6 + 1) % 1);
  return [Math.trunc(hue * 255), Math.trunc(Math.fround(range / most) * 255), most];
}

function fromHsv(hue: number, saturation: number, value: number): Triple {
  if (saturation === 0) return [value, value, value];
  const sixth = Math.floor((hue * 6) / 255);
  const rest = Math.fround((hue * 6) / 255 - sixth);
  const share = Math.fround(saturation / 255);
  const p = Math.round(value * (1 - share));
  const q = Math.round(value * (1 - Math.fround(share * rest)));
  const t = Math.round(value * (1 - share * (1 - rest)));
  const sectors: readonly Triple[] = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ];
  return sectors[sixth % 6]!;
}
