/**
 * Compares the network with a golden of the reference: runs the golden's inputs and compares every tap.
 *
 * Taps are compared as the pass emits them, and at most one block's taps are in memory.
 */
import { tensor, tensor1d, reshape, where, type Tensor } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { compare, unravel } from "../tensor/compare.ts";
import type { Precision } from "../tensor/precision.ts";
import { InputError } from "../errors/input-error.ts";
import { samplePositions } from "../tensor/synthetic.ts";
import { readTap, withTaps } from "../tensor/taps.ts";
import type { Golden } from "./golden.ts";
import { isImageTap, runInputs } from "./run-inputs.ts";

/**
 * The largest relative L2 that passes, by precision. In bfloat16, PyTorch's own error is 8e-3 at the worst tap of the demo
 * model (`bfloat16_error` in its golden).
 */
export const defaultTolerance: Readonly<Record<Precision, number>> = { f32: 1e-4, bf16: 1e-2, int8: 5e-2 };

/** Options of `verify`. */
export interface VerifyOptions {
  /** The largest relative L2 that passes. Default: `defaultTolerance` of the model's precision. */
  readonly tolerance?: number;
  /**
   * Replace each module's output by the golden's once it is compared. Every module then runs on the reference's own
   * input, so an error shows only in the module that causes it. Default: false, end to end.
   */
  readonly isolated?: boolean;
  /** Called after each tap's comparison. */
  readonly onTap?: (tap: TapReport) => void;
  /** Receives the values that were compared, of one tap. */
  readonly values?: { readonly tap: string; readonly receive: (values: ComparedValues) => void };
}

/** The values of a tap that were compared: all, those at tokens, or the golden's samples. */
export interface ComparedValues {
  readonly ours: Float32Array;
  readonly golden: Float32Array;
  /** Values of a row: the tap's last axis, or the samples. */
  readonly columns: number;
}

/** The comparison of one tap. Figures that are missing or not finite are null. */
export interface TapReport {
  readonly name: string;
  /** ‖ours − golden‖ / ‖golden‖ */
  readonly relativeL2: number | null;
  readonly maxAbs: number | null;
  readonly cosine: number | null;
  /** Position of the largest difference in the tap's shape. */
  readonly worst: readonly number[] | null;
  readonly passed: boolean;
  /** The side that lacks the tap. */
  readonly missing?: "ours" | "golden";
  /** Why the tap could not be compared, as text. */
  readonly problem?: string;
  /**
   * error(ours) / error(PyTorch), both against float64, if the golden has PyTorch's error: in float32, or for a model in
   * reduced precision in bfloat16.
   */
  readonly ratio?: number;
}

/** The result of `verify`. */
export interface ParityReport {
  readonly passed: boolean;
  /** In the order of the computation. Taps that our network lacks come last. */
  readonly taps: readonly TapReport[];
  /** The tap with the largest relative L2; a tap without figures counts as larger. */
  readonly worst: TapReport;
  /** The tap with the largest ratio, if there are any. */
  readonly worstRatio: TapReport | null;
  readonly tolerance: number;
  readonly isolated: boolean;
  readonly precision: Precision;
}

/** PyTorch's own error by tap, to compare a model's with; null if the golden has none. */
export function yardstick(golden: Golden, precision: Precision): ReadonlyMap<string, number> | null {
  return precision === "f32" ? golden.float32Error : golden.bfloat16Error;
}

/**
 * Half the distance between neighbouring float32 numbers near 1. Rounding to float32 alone causes an error of this size,
 * so PyTorch's error counts as at least this much in a ratio.
 */
const float32Rounding = 2 ** -25;

/** PyTorch modules that return their input (dropouts, layer scales that are off), and lists of modules. */
const identityModules = /(^|[._])dropout$|\.ls_[12]$|(^|\.)(resblocks|layer)$/;

/** Taps that do not belong to a module. A golden of one tower may lack them. */
const outsideModules = ["image_features", "text_features", "logits_per_image"];

/**
 * Runs a golden's inputs and compares every tap.
 *
 * Text taps are compared at tokens only, because the values at padding are arbitrary. Our pass is padded only to the
 * longest text.
 * @throws InputError if the inputs do not fit the model
 */
export async function verify(
  model: Clip,
  golden: Golden,
  {
    tolerance = defaultTolerance[model.weights.precision],
    isolated = false,
    onTap,
    values: wanted,
  }: VerifyOptions = {},
): Promise<ParityReport> {
  if (isolated && golden.samples !== null) {
    throw new InputError(
      `${golden.name}: holds ${golden.samples} values of each tap; running each module on the golden's input requires whole taps`,
    );
  }
  const { imageSize } = model.config.vision;
  if (golden.imageShape !== null && golden.imageShape.slice(2).join() !== imageSize.join()) {
    throw new InputError(
      `${golden.name}: made with images of ${golden.imageShape.slice(2).join(" × ")}, but the model takes ${imageSize.join(" × ")}; choose the model that the golden was made with`,
    );
  }
  const isToken = golden.text?.map((row) => model.text.isToken(row)) ?? [];
  const rows = golden.text?.map((row, r) => row.slice(0, isToken[r]!.lastIndexOf(true) + 1)) ?? null;
  const { precision } = model.weights;
  const errors = isolated ? null : yardstick(golden, precision);
  const isWhole = golden.imageShape !== null && rows !== null;
  const reports: TapReport[] = [];
  const seen = new Set<string>();

  const tokensOf = (name: string, { rank, shape }: Tensor): TokenGrid | null => {
    if (rank !== 3 || isImageTap(name)) return null;
    const length = shape[1]!;
    // BERT's positions are one row for all texts.
    const isShared = shape[0] !== isToken.length;
    return new TokenGrid(isShared ? [new Array<boolean>(length).fill(true)] : isToken, length);
  };

  const sink = async (name: string, value: Tensor): Promise<void> => {
    if (name.includes("#")) return;
    if (!isWhole && outsideModules.includes(name) && !golden.taps.has(name)) return;
    if (seen.has(name)) throw new Error(`the tap ${name} was emitted twice`);
    const position = seen.size;
    seen.add(name);
    const receive = wanted?.tap === name ? wanted.receive : undefined;
    const tokens = tokensOf(name, value);
    const report = await compareTap(golden, name, value, { tokens, tolerance, errors, receive });
    reports[position] = report;
    onTap?.(report);
  };
  const patch = (name: string, value: Tensor): Tensor | null =>
    goldenValue(golden, name, value, tokensOf(name, value));

  const pixels = golden.readImage();
  try {
    await withTaps(sink, () => runInputs(model, pixels, rows), isolated ? patch : undefined);
  } finally {
    pixels?.dispose();
  }

  const isIdentity = (name: string): boolean =>
    identityModules.test(name) ||
    model.visual.identities.includes(name) ||
    model.text.identities.includes(name);
  const taps = [...reports];
  for (const name of golden.taps.keys()) {
    if (!seen.has(name) && !isIdentity(name)) taps.push({ ...withoutFigures(name), missing: "ours" });
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
    precision,
  };
}

/** Which positions of a text tap [T, length, …] are tokens. Values at padding are arbitrary, in both networks. */
class TokenGrid {
  /** Flat positions of the tokens in our pass, row by row. */
  readonly positions: readonly number[];
  /** Positions of a row in our pass. */
  readonly length: number;

  constructor(isToken: readonly (readonly boolean[])[], length: number) {
    this.length = length;
    this.positions = isToken.flatMap((row, r) => row.flatMap((real, i) => (real ? [r * length + i] : [])));
  }

  /** The vectors of the tokens, of a tensor with `length` positions a row. */
  gather(values: Float32Array, width: number, length: number): Float32Array {
    const tokens = new Float32Array(this.positions.length * width);
    for (const [i, position] of this.positions.entries()) {
      const from = this.#inRowsOf(length, position) * width;
      tokens.set(values.subarray(from, from + width), i * width);
    }
    return tokens;
  }

  /** The golden's vectors at the tokens of our pass, in a tensor of our pass's shape; zeros at padding. */
  scatter(golden: Float32Array, goldenLength: number, rows: number, width: number): Float32Array {
    const values = new Float32Array(rows * this.length * width);
    for (const position of this.positions) {
      const from = this.#inRowsOf(goldenLength, position) * width;
      values.set(golden.subarray(from, from + width), position * width);
    }
    return values;
  }

  /** 1 at tokens, 0 at padding. [rows · length] */
  mask(rows: number): Uint8Array {
    const mask = new Uint8Array(rows * this.length);
    for (const position of this.positions) mask[position] = 1;
    return mask;
  }

  /** The index of a position of our pass in rows of another length. */
  #inRowsOf(length: number, position: number): number {
    return Math.floor(position / this.length) * length + (position % this.length);
  }
}

/** How a tap is compared. */
interface CompareOptions {
  readonly tokens: TokenGrid | null;
  readonly tolerance: number;
  readonly errors: ReadonlyMap<string, number> | null;
  readonly receive: ((values: ComparedValues) => void) | undefined;
}

async function compareTap(
  golden: Golden,
  name: string,
  value: Tensor,
  { tokens, tolerance, errors, receive }: CompareOptions,
): Promise<TapReport> {
  if (!golden.taps.has(name)) return { ...withoutFigures(name), missing: "golden" };
  const problem = misfit(golden, name, value.shape, tokens);
  if (problem !== null) return { ...withoutFigures(name), problem };

  const { shape } = value;
  const width = shape.at(-1) ?? 1;
  const values = await readTap(value);
  const ours = tokens ? tokens.gather(values, width, tokens.length) : values;
  const stored = golden.readTap(name);
  const compared =
    golden.samples === null
      ? {
          ours,
          golden: tokens ? tokens.gather(stored, width, golden.taps.get(name)![1]!) : stored,
          columns: width,
        }
      : samplesOf(name, ours, stored);
  receive?.(compared);
  const { relativeL2, maxAbs, cosine, worstIndex } =
    golden.samples === null ? compare(compared.ours, compared.golden) : compareSamples(name, ours, stored);
  const error = errors?.get(name);
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
    ...(error !== undefined &&
      Number.isFinite(relativeL2) && { ratio: relativeL2 / Math.max(error, float32Rounding) }),
  };
}

/** Why our tap cannot be compared with the golden's; null if it can. */
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

/** Our values at the positions of a sampled tap, and the golden's. */
function samplesOf(name: string, ours: Float32Array, stored: Float32Array): ComparedValues {
  const golden = stored.subarray(2);
  const positions = samplePositions(name, golden.length, ours.length);
  return { ours: Float32Array.from(positions, (at) => ours[at]!), golden, columns: golden.length };
}

/** Compares a sampled tap. The relative error of the norm over all values counts as well. */
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

/** The golden's values in the shape of ours; at padding, our values, because the golden's are arbitrary. */
function goldenValue(golden: Golden, name: string, value: Tensor, tokens: TokenGrid | null): Tensor | null {
  if (!golden.taps.has(name) || misfit(golden, name, value.shape, tokens) !== null) return null;
  const stored = golden.readTap(name);
  if (tokens === null) return tensor(stored, value.shape);
  const [rows = 0, length = 0, width = 0] = value.shape;
  const values = tensor(tokens.scatter(stored, golden.taps.get(name)![1]!, rows, width), value.shape);
  const isToken = reshape(tensor1d(tokens.mask(rows), "bool"), [rows, length, 1]);
  return where(isToken, values, value);
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
