/**
 * Our network against a golden of the reference: the golden's own inputs, every tap compared while the pass runs.
 *
 * A tap of the golden is read when ours is there, and both are dropped once they are compared.
 */
import { tensor, type Tensor } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { RobertaTextTower } from "../clip/text/xlm-roberta/roberta-text-tower.ts";
import { compare, unravel } from "../tensor/compare.ts";
import { InputError } from "../errors/input-error.ts";
import { samplePositions } from "../tensor/synthetic.ts";
import { withTaps } from "../tensor/taps.ts";
import type { Golden } from "./golden.ts";
import { isImageTap, runInputs } from "./run-inputs.ts";

export interface VerifyOptions {
  /** Largest relative L2 that passes. Default: 1e-4. */
  readonly tolerance?: number;
  /**
   * Put the golden's values in the place of each module's output once that is compared: every module then runs on the
   * reference's own input, and an error shows where it is made, and nowhere else. Default: false, end to end.
   */
  readonly isolated?: boolean;
  /** Called for each tap when it is compared. */
  readonly onTap?: (tap: TapReport) => void;
}

/** One tap, compared. Figures that are missing or not finite are null. */
export interface TapReport {
  readonly name: string;
  /** ‖ours − golden‖ / ‖golden‖ */
  readonly relativeL2: number | null;
  readonly maxAbs: number | null;
  readonly cosine: number | null;
  /** Position of the largest difference in the tap's shape. */
  readonly worst: readonly number[] | null;
  readonly passed: boolean;
  /** Who does not have the tap. */
  readonly missing?: "ours" | "golden";
  /** Why nothing could be compared, for people. */
  readonly problem?: string;
  /** error(ours) / error(PyTorch float32), both against float64, where the golden has it. */
  readonly ratio?: number;
}

export interface ParityReport {
  readonly passed: boolean;
  /** In the order of the computation; taps that ours lacks come last. */
  readonly taps: readonly TapReport[];
  /** The tap that is furthest off: one without figures if there is one, else the largest relative L2. */
  readonly worst: TapReport;
  /** The largest ratio, where there are any. */
  readonly worstRatio: TapReport | null;
  readonly tolerance: number;
  readonly isolated: boolean;
}

/**
 * Half the distance of neighbouring float32 numbers near 1: no float32 network is nearer than that to float64, so
 * PyTorch's error counts as at least this much in a ratio.
 */
const float32Rounding = 2 ** -25;

/** Modules of PyTorch that hand their input on (dropouts, layer scales that are off), and lists of modules. */
const idleModules = /(^|[._])dropout$|\.ls_[12]$|(^|\.)(resblocks|layer)$/;

/** Taps that are no module's: a golden of one tower may come without them. */
const outsideModules = ["image_features", "text_features", "logits_per_image"];

/**
 * Runs a golden's inputs and compares every tap.
 *
 * Text taps are compared at real tokens alone; ours runs no further than the longest text.
 * @throws InputError if the inputs do not fit the model
 */
export async function verify(
  model: Clip,
  golden: Golden,
  { tolerance = 1e-4, isolated = false, onTap }: VerifyOptions = {},
): Promise<ParityReport> {
  if (isolated && golden.samples !== null) {
    throw new InputError(
      `${golden.name}: holds ${golden.samples} values of each tap: to run each module on the golden's input takes whole taps`,
    );
  }
  const { imageSize } = model.config.vision;
  if (golden.imageShape !== null && golden.imageShape.slice(2).join() !== imageSize.join()) {
    throw new InputError(
      `${golden.name}: made with images of ${golden.imageShape.slice(2).join(" × ")}, and the model takes ${imageSize.join(" × ")}: name the golden's own model (--model)`,
    );
  }
  const isToken = golden.text?.map((row) => model.text.isToken(row)) ?? [];
  const rows = golden.text?.map((row, r) => row.slice(0, isToken[r]!.lastIndexOf(true) + 1)) ?? null;
  const isWhole = golden.imageShape !== null && rows !== null;
  const taps: TapReport[] = [];
  const seen = new Set<string>();

  const tokensOf = (name: string, value: Tensor): TokenGrid | null =>
    value.rank === 3 && !isImageTap(name) ? new TokenGrid(isToken, value.shape[1]!) : null;

  const sink = (name: string, value: Tensor): void => {
    if (name.includes("#")) return;
    if (!isWhole && outsideModules.includes(name) && !golden.taps.has(name)) return;
    if (seen.has(name)) throw new Error(`the tap ${name} came twice`);
    seen.add(name);
    const report = compareTap(golden, name, value, tokensOf(name, value), tolerance, !isolated);
    taps.push(report);
    onTap?.(report);
  };
  const patch = (name: string, value: Tensor): Tensor | null =>
    goldenInPlace(golden, name, value, tokensOf(name, value));

  const pixels = golden.readImage();
  try {
    await withTaps(sink, () => runInputs(model, pixels, rows), isolated ? patch : undefined);
  } finally {
    pixels?.dispose();
  }

  const isIdle = (name: string): boolean =>
    idleModules.test(name) ||
    (name === "text.proj" && model.text instanceof RobertaTextTower && model.text.proj === null);
  for (const name of golden.taps.keys()) {
    if (!seen.has(name) && !isIdle(name)) taps.push({ ...withoutFigures(name), missing: "ours" });
  }
  return {
    passed: taps.every(({ passed }) => passed),
    taps,
    worst: largest(taps, ({ relativeL2 }) => relativeL2 ?? Infinity)!,
    worstRatio: largest(
      taps.filter(({ ratio }) => ratio !== undefined),
      ({ ratio }) => ratio!,
    ),
    tolerance,
    isolated,
  };
}

/** Which positions of a text tap [T, length, …] are tokens; what stands at padding is arbitrary, there and here. */
class TokenGrid {
  /** Flat positions, row by row, in a run of so many positions a row. */
  readonly positions: readonly number[];
  /** Positions of a row in our run, and in the golden's input. */
  readonly length: number;

  constructor(isToken: readonly (readonly boolean[])[], length: number) {
    this.length = length;
    this.positions = isToken.flatMap((row, r) => row.flatMap((real, i) => (real ? [r * length + i] : [])));
  }

  /** The vectors of the tokens, one after another, of a tensor with `length` positions a row. */
  gather(values: Float32Array, width: number, length: number): Float32Array {
    const tokens = new Float32Array(this.positions.length * width);
    for (const [i, position] of this.positions.entries()) {
      const from = this.#inRowsOf(length, position) * width;
      tokens.set(values.subarray(from, from + width), i * width);
    }
    return tokens;
  }

  /** Writes the golden's vectors of the tokens over ours. */
  scatter(golden: Float32Array, goldenLength: number, ours: Float32Array, width: number): void {
    for (const position of this.positions) {
      const from = this.#inRowsOf(goldenLength, position) * width;
      ours.set(golden.subarray(from, from + width), position * width);
    }
  }

  /** Where a position of our run stands in rows of another length. */
  #inRowsOf(length: number, position: number): number {
    return Math.floor(position / this.length) * length + (position % this.length);
  }
}

function compareTap(
  golden: Golden,
  name: string,
  value: Tensor,
  tokens: TokenGrid | null,
  tolerance: number,
  withRatio: boolean,
): TapReport {
  if (!golden.taps.has(name)) return { ...withoutFigures(name), missing: "golden" };
  const problem = misfit(golden, name, value.shape, tokens);
  if (problem !== null) return { ...withoutFigures(name), problem };

  const { shape } = value;
  const width = shape.at(-1) ?? 1;
  const values = value.dataSync() as Float32Array;
  const ours = tokens ? tokens.gather(values, width, tokens.length) : values;
  const stored = golden.readTap(name);
  const { relativeL2, maxAbs, cosine, worstIndex } =
    golden.samples === null
      ? compare(ours, tokens ? tokens.gather(stored, width, golden.taps.get(name)![1]!) : stored)
      : compareSamples(name, ours, stored);
  const error = golden.float32Error?.get(name);
  const at = tokens
    ? tokens.positions[Math.floor(worstIndex / width)]! * width + (worstIndex % width)
    : worstIndex;
  return {
    name,
    relativeL2: finite(relativeL2),
    maxAbs: finite(maxAbs),
    cosine: finite(cosine),
    worst: unravel(at, shape),
    passed: relativeL2 <= tolerance,
    ...(withRatio &&
      error !== undefined &&
      Number.isFinite(relativeL2) && { ratio: relativeL2 / Math.max(error, float32Rounding) }),
  };
}

/** Why a tap of ours cannot be compared with the golden's; null if it can. */
function misfit(
  golden: Golden,
  name: string,
  ours: readonly number[],
  tokens: TokenGrid | null,
): string | null {
  if (golden.samples !== null) return null;
  const shape = golden.taps.get(name)!;
  const full = tokens && golden.text ? [ours[0], golden.text[0]!.length, ours[2]] : ours;
  return shape.join() === ours.join() || shape.join() === full.join()
    ? null
    : `shape [${ours.join(", ")}], in the golden [${shape.join(", ")}]`;
}

/** A sampled tap: the norm over all values counts as one more figure of the samples. */
function compareSamples(name: string, ours: Float32Array, stored: Float32Array): ReturnType<typeof compare> {
  const [norm = NaN, , ...samples] = stored;
  const positions = samplePositions(name, samples.length, ours.length);
  const comparison = compare(
    positions.map((at) => ours[at]!),
    samples,
  );
  const ourNorm = Math.sqrt(ours.reduce((sum, value) => sum + value * value, 0));
  const relativeL2 = Math.max(comparison.relativeL2, norm === ourNorm ? 0 : Math.abs(ourNorm - norm) / norm);
  return { ...comparison, relativeL2, worstIndex: positions[comparison.worstIndex]! };
}

/** The golden's values in the shape of ours; at padding ours stay, for the golden's are arbitrary. */
function goldenInPlace(golden: Golden, name: string, value: Tensor, tokens: TokenGrid | null): Tensor | null {
  if (!golden.taps.has(name) || misfit(golden, name, value.shape, tokens) !== null) return null;
  const stored = golden.readTap(name);
  if (tokens === null) return tensor(stored, value.shape);
  const values = Float32Array.from(value.dataSync());
  tokens.scatter(stored, golden.taps.get(name)![1]!, values, value.shape[2]!);
  return tensor(values, value.shape);
}

function withoutFigures(name: string): TapReport {
  return { name, relativeL2: null, maxAbs: null, cosine: null, worst: null, passed: false };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function largest(taps: readonly TapReport[], by: (tap: TapReport) => number): TapReport | null {
  return taps.reduce<TapReport | null>(
    (best, tap) => (best === null || by(tap) > by(best) ? tap : best),
    null,
  );
}
