/**
 * Stable Video Diffusion's resize: a Gaussian blur against aliasing, then bicubic interpolation with aligned corners, in
 * floats of −1…1.
 *
 * Source: diffusers, pipeline_stable_video_diffusion.py, _resize_with_antialiasing, which follows kornia
 */
import type { DecodedImage } from "../image/image.ts";
import type { PreprocessConfig } from "../image/transform.ts";

/** One axis of a plane. */
interface Axis {
  readonly from: number;
  readonly to: number;
}

/** @param image in mode "RGB" @returns [3, height, width], normalised */
export function blurredResize(
  image: DecodedImage,
  { size: [height, width], mean, std }: PreprocessConfig,
): Float32Array {
  const columns = combined({ from: image.width, to: width });
  const rows = combined({ from: image.height, to: height });
  const out = new Float32Array(3 * height * width);
  for (const channel of [0, 1, 2] as const) {
    const narrow = new Float64Array(image.height * width);
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (const { at, weight } of columns[x]!) {
          sum += weight * (image.data[(y * image.width + at) * image.stride + channel]! / 127.5 - 1);
        }
        narrow[y * width + x] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (const { at, weight } of rows[y]!) sum += weight * narrow[at * width + x]!;
        out[(channel * height + y) * width + x] = ((sum + 1) / 2 - mean[channel]) / std[channel];
      }
    }
  }
  return out;
}

interface Tap {
  readonly at: number;
  readonly weight: number;
}

/** For each output position, the inputs and weights of the blur followed by the interpolation. Both are linear. */
function combined(axis: Axis): Tap[][] {
  const blur = gaussian(axis);
  const reach = (blur.length - 1) / 2;
  return Array.from({ length: axis.to }, (_, i) => {
    const weights = new Map<number, number>();
    for (const { at, weight } of bicubic(axis, i)) {
      for (const [k, share] of blur.entries()) {
        const source = reflected(at + k - reach, axis.from);
        weights.set(source, (weights.get(source) ?? 0) + weight * share);
      }
    }
    return Array.from(weights, ([source, weight]) => ({ at: source, weight }));
  });
}

/** The blur's kernel, of odd length: σ is half of what the size shrinks by, and the kernel has two σ to each side. */
function gaussian({ from, to }: Axis): number[] {
  const sigma = Math.max((from / to - 1) / 2, 0.001);
  const length = Math.trunc(Math.max(4 * sigma, 3));
  const odd = length % 2 === 0 ? length + 1 : length;
  const values = Array.from({ length: odd }, (_, i) =>
    Math.exp(-((i - (odd - 1) / 2) ** 2) / (2 * sigma ** 2)),
  );
  const sum = values.reduce((total, value) => total + value, 0);
  return values.map((value) => value / sum);
}

/** Cubic convolution with a = −0.75, as torch.nn.functional.interpolate computes it; the border is repeated. */
function bicubic({ from, to }: Axis, i: number): Tap[] {
  const position = to === 1 ? 0 : (i * (from - 1)) / (to - 1);
  const first = Math.floor(position);
  return [-1, 0, 1, 2].map((offset) => ({
    at: Math.min(Math.max(first + offset, 0), from - 1),
    weight: cubic(Math.abs(position - first - offset)),
  }));
}

function cubic(x: number): number {
  const a = -0.75;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/** A position outside is mirrored at the border, which is not repeated. */
function reflected(position: number, length: number): number {
  const inside = position < 0 ? -position : position;
  return Math.min(Math.max(inside < length ? inside : 2 * (length - 1) - inside, 0), length - 1);
}
