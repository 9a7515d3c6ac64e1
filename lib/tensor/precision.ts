/**
 * The precision of matrix products: float32, or weights that a backend keeps packed in fewer bits.
 *
 * Only weights of products (layout `linear`) are packed. Everything else stays float32: the residual stream, norms,
 * softmax, sums.
 */
import { getBackend, type Tensor1D, type Tensor2D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";

/** The precisions, from the most to the least accurate. */
export const precisions = ["f32", "bf16", "int8"] as const;
/**
 * `f32`: float32. `bf16`: weights and the inputs of products in bfloat16, sums in float32. `int8`: weights in int8, with a
 * scale per output channel, and inputs in int8, with a scale per row; sums are exact, outliers stay float32.
 */
export type Precision = (typeof precisions)[number];
/** A precision with packed weights. */
export type ReducedPrecision = Exclude<Precision, "f32">;

/** Bytes of one number of a weight. */
export const bytesPerWeight: Readonly<Record<Precision, number>> = { f32: 4, bf16: 2, int8: 1 };

/** A backend's way to keep weights in reduced precision. Its kernel for `linear` takes what `pack` returns as weight. */
export interface WeightPacker {
  /** How this machine computes the products: "AMX", "emulated with AVX2". */
  describe(precision: ReducedPrecision): string;
  /** @param stored [out, in] @returns words (int32), which the caller disposes */
  pack(stored: Tensor2D, precision: ReducedPrecision): Tensor1D;
}

const packers = new Map<string, WeightPacker>();

/** Sets a backend's packer. */
export function setWeightPacker(backend: string, packer: WeightPacker): void {
  packers.set(backend, packer);
}

/** The current backend's packer, if it has one. */
export function currentWeightPacker(): WeightPacker | undefined {
  return packers.get(getBackend());
}

/**
 * The current backend's packer.
 *
 * @throws InputError if it has none
 */
export function weightPacker(precision: ReducedPrecision): WeightPacker {
  const packer = currentWeightPacker();
  if (packer !== undefined) return packer;
  throw new InputError(
    `the precision ${precision} requires the native backend on the CPU, found the backend ${getBackend()}; ` +
      'build it with "clipscope native", or use --precision f32',
  );
}
