/**
 * Image generation by gradient ascent: the Fourier coefficients of a canvas follow the gradient of the similarity between
 * random cutouts of it and the prompts.
 *
 * A single view of an image can be changed invisibly to fit any text. Cutouts at random places, sizes and angles cannot
 * all be deceived by the same small change, so that larger shapes appear.
 */
import { tensor3d, tensor4d, tidy, type Tensor, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { gradients } from "../clip/gradients.ts";
import type { PreprocessConfig } from "../image/transform.ts";
import { gradientsOf } from "../nn/backpropagate.ts";
import { TorchRandom } from "../tensor/torch-random.ts";
import { elementCount } from "../tensor/dtype.ts";
import { adamStep, disposeAdam, startAdam } from "../tensor/adam.ts";
import { Sampler, type Cutout, type Size } from "./cutout.ts";
import { FourierImage } from "./fourier-image.ts";
import { smoothness } from "./smoothness.ts";
import { sphericalLoss, type Targets } from "./spherical-loss.ts";

/** Options of `guide`. */
export interface GuideOptions {
  /** Pixels of the canvas. Default: the model's input. */
  readonly size?: Size;
  /** Default: 200. */
  readonly steps?: number;
  /** Cutouts per step, a quarter of them of the whole canvas. Default: 16. */
  readonly cutouts?: number;
  /** The shortest side of a cutout, as a share of the canvas. Default: 0.7. */
  readonly smallestCutout?: number;
  /** The largest rotation, in degrees. Default: 15. */
  readonly rotation?: number;
  /** Adam's rate, which falls to a tenth along a cosine. Default: 0.07. */
  readonly learningRate?: number;
  /** How fast coefficients are damped with their frequency. Default: 1.5. */
  readonly decay?: number;
  /** The weight of the mean difference between neighbouring pixels, which falls like the rate. Default: 30. */
  readonly smoothness?: number;
  /** Standard deviation of the noise that is added to cutouts, of pixels in 0…1. Default: 0.1. */
  readonly grain?: number;
  /** The image to start from [3, H, W] in 0…1, of the canvas's size. Default: noise. */
  readonly from?: Float32Array;
  /** Cutouts per pass. Default: 8. */
  readonly batchSize?: number;
  /** Default: 0. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** The canvas after a number of steps. */
export interface GuideStep {
  readonly step: number;
  /** The spherical loss of the step that led here, of its cutouts; null before the first. */
  readonly loss: number | null;
  /** [3, H, W] in 0…1 */
  readonly image: Float32Array;
}

const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

const defaultSmoothness = 30;

/** Standard deviation of the first coefficients. */
const noise = 0.01;

/** The canvas of a model by default: its input's size. */
export function defaultCanvas({ size: [height, width] }: Pick<PreprocessConfig, "size">): Size {
  return { height, width };
}

/**
 * Generates an image.
 *
 * @param targets unit embeddings of the prompts, which stay the caller's
 * @returns the canvas at the beginning and after each step; end the iteration to stop
 * @throws the signal's reason if it is aborted
 */
export async function* guide(
  model: Clip,
  targets: Targets,
  options: GuideOptions = {},
): AsyncGenerator<GuideStep, void, undefined> {
  const { preprocess } = model;
  const {
    size = defaultCanvas(preprocess),
    steps = 200,
    learningRate = 0.07,
    decay = 1.5,
    seed = 0,
  } = options;
  const random = new TorchRandom(seed);
  const fourier = new FourierImage({ ...size, decay });
  const start = options.from
    ? fourier.coefficientsOf(options.from)
    : Float32Array.from({ length: elementCount(fourier.shape) }, () => noise * normal(random));
  let state = startAdam<Tensor4D>(tensor4d(start, fourier.shape));
  let image = await rendered(fourier, state.values);
  let loss: number | null = null;
  try {
    for (let step = 0; step <= steps; step++) {
      yield { step, loss, image };
      if (step === steps) return;
      options.signal?.throwIfAborted();
      const cutouts = randomCutouts(random, size, options);
      const falling = 0.1 + 0.45 * (1 + Math.cos((Math.PI * step) / steps)); // from 1 to a tenth
      const now = { ...options, smoothness: falling * (options.smoothness ?? defaultSmoothness) };
      const found = await imageGradient(model, targets, image, size, cutouts, now, random);
      loss = found.loss;
      const gradient = coefficientGradient(fourier, state.values, found.gradient, size);
      const before = state;
      state = adamStep(before, gradient, step + 1, { ...adam, rate: falling * learningRate });
      disposeAdam(before);
      gradient.dispose();
      image = await rendered(fourier, state.values);
    }
  } finally {
    disposeAdam(state);
    fourier.dispose();
  }
}

async function rendered(fourier: FourierImage, coefficients: Tensor4D): Promise<Float32Array> {
  const pixels = fourier.render(coefficients);
  try {
    return new Float32Array(await pixels.data<"float32">());
  } finally {
    pixels.dispose();
  }
}

/** A standard normal number, by Box and Muller. */
function normal(random: TorchRandom): number {
  const uniform = (): number => (random.uint32() + 1) / (2 ** 32 + 1);
  return Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** A quarter shows the whole canvas, moved and rotated a little; the others are smaller squares inside it. */
export function randomCutouts(
  random: TorchRandom,
  { height, width }: Size,
  { cutouts = 16, smallestCutout = 0.7, rotation = 15 }: GuideOptions,
): Cutout[] {
  const between = (low: number, high: number): number => low + (high - low) * (random.uint32() / 2 ** 32);
  const edge = Math.min(height, width);
  const turn = (rotation * Math.PI) / 180;
  return Array.from({ length: cutouts }, (_, i) => {
    const isWhole = i < Math.max(1, Math.floor(cutouts / 4));
    const side = edge * (isWhole ? 1 : between(smallestCutout, 1));
    const [roomX, roomY] = [width - side, height - side].map((room) => room / 2 + 0.03 * edge);
    return {
      centreX: width / 2 + between(-roomX!, roomX!),
      centreY: height / 2 + between(-roomY!, roomY!),
      side,
      angle: between(-turn, turn),
    };
  });
}

/** The loss of cutouts of an image, smoothness included in the gradient alone. @returns the gradient [3, H, W] */
export async function imageGradient(
  model: Clip,
  targets: Targets,
  image: Float32Array,
  canvas: Size,
  cutouts: readonly Cutout[],
  { batchSize = 8, smoothness: weight = defaultSmoothness, grain = 0.1, signal }: GuideOptions,
  random: TorchRandom,
): Promise<{ readonly loss: number; readonly gradient: Float32Array }> {
  const { size, mean, std } = model.preprocess;
  const [height, width] = size;
  const pixelsOf = 3 * height * width;
  const channelOf = (i: number): 0 | 1 | 2 => (Math.floor(i / (height * width)) % 3) as 0 | 1 | 2;
  const gradient = new Float64Array(image.length);
  let loss = 0;
  for (let start = 0; start < cutouts.length; start += batchSize) {
    const samplers = cutouts
      .slice(start, start + batchSize)
      .map((cutout) => new Sampler(cutout, canvas, { height, width }));
    const pixels = new Float32Array(samplers.length * pixelsOf);
    for (const [i, sampler] of samplers.entries()) sampler.sample(image, pixels, i * pixelsOf);
    for (let i = 0; i < pixels.length; i++) {
      const value = pixels[i]! + (grain === 0 ? 0 : grain * normal(random));
      pixels[i] = (value - mean[channelOf(i)]) / std[channelOf(i)];
    }
    const input = tensor4d(pixels, [samplers.length, 3, height, width]);
    try {
      const found = await gradients(
        model,
        { pixels: input },
        ({ images }) => sphericalLoss(images!, targets),
        {
          of: ["pixels"],
          signal,
        },
      );
      const slopes = new Float32Array(await found.pixels!.data<"float32">());
      found.pixels!.dispose();
      const share = samplers.length / cutouts.length;
      loss += share * found.loss;
      for (let i = 0; i < slopes.length; i++) slopes[i]! *= share / std[channelOf(i)];
      for (const [i, sampler] of samplers.entries()) sampler.spread(slopes, gradient, i * pixelsOf);
    } finally {
      input.dispose();
    }
  }
  smoothness(image, canvas, weight, gradient);
  return { loss, gradient: Float32Array.from(gradient) };
}

/** The gradient of the coefficients, from that of the image. */
export function coefficientGradient(
  fourier: FourierImage,
  coefficients: Tensor4D,
  gradient: Float32Array,
  { height, width }: Size,
): Tensor4D {
  return tidy(() => {
    const dy = tensor3d(gradient, [3, height, width]);
    const render = (): Tensor => fourier.render(coefficients);
    return gradientsOf(render, [coefficients], dy).gradients[0] as Tensor4D;
  });
}
