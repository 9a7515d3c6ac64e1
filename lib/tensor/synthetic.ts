/**
 * Weights computed from tensor names, for networks of any size without a file. `tools/golden/synthetic.py` computes the
 * same numbers, so that the full-size network can be compared with PyTorch's without a download.
 *
 * Element i of a tensor is a 32-bit hash of i and the tensor's name, read as a number u in [−1, 1) with 24 bits, which
 * float32 holds exactly, times a float32 scale. The scale resembles that of trained networks: matrices are scaled by
 * fan-in, norms lie around 1 with a few channels eight times as large, and biases are not zero.
 */
import { elementCount } from "./dtype.ts";
import { fnv1a, goldenRatio, mix } from "./hash.ts";
import { tensorInfo, type TensorInfo, type TensorStore } from "./store.ts";

/** A store that computes each tensor when it is read. */
export class SyntheticStore implements TensorStore {
  readonly name = "synthetic weights";
  readonly metadata = {};
  readonly tensors: ReadonlyMap<string, TensorInfo>;

  constructor(shapes: Iterable<readonly [name: string, shape: readonly number[]]>) {
    this.tensors = new Map(
      Array.from(shapes, ([name, shape]) => [
        name,
        { dtype: "F32", shape, offset: 0, size: 4 * elementCount(shape) },
      ]),
    );
  }

  read(name: string, start = 0, length?: number): Promise<Uint8Array> {
    const { shape, size } = tensorInfo(this, name);
    const values = syntheticValues(name, shape, start / 4, (length ?? size - start) / 4);
    return Promise.resolve(new Uint8Array(values.buffer));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** The elements from `first` to `first + count` of a tensor. */
export function syntheticValues(
  name: string,
  shape: readonly number[],
  first: number,
  count: number,
): Float32Array {
  const values = new Float32Array(count);
  if (name === "logit_scale") return values.fill(4);
  const seed = fnv1a(name);
  const { scale, centre, outliers } = spread(name, shape);
  for (let i = 0; i < count; i++) {
    const hash = mix(Math.imul(first + i, goldenRatio) + seed);
    const u = ((hash >>> 8) - 0x800000) / 0x800000;
    const value = Math.fround(Math.fround(u * scale) + centre);
    values[i] = outliers && (hash & 0xff) === 0 ? 8 * value : value;
  }
  return values;
}

/** The positions of the values that a sampled golden holds of a tap with `length` values. */
export function samplePositions(name: string, count: number, length: number): number[] {
  const seed = fnv1a(name);
  return Array.from({ length: count }, (_, i) => (mix(Math.imul(i, goldenRatio) + seed) >>> 0) % length);
}

interface Spread {
  /** A float32: the largest distance from the centre. */
  readonly scale: number;
  readonly centre: number;
  /** Whether one element in 256 is eight times as large. */
  readonly outliers: boolean;
}

function spread(name: string, shape: readonly number[]): Spread {
  // Pixels: zero mean and unit variance, as after preprocessing.
  if (name === "input.image") return { scale: Math.fround(Math.sqrt(3)), centre: 0, outliers: false };
  const isNorm = /(^|\.)(ln_\w+|LayerNorm)\.weight$/.test(name);
  if (isNorm) return { scale: 0.25, centre: 1, outliers: true };
  if (shape.length < 2) return { scale: 0.25, centre: 0, outliers: false };
  if (name.endsWith("embedding") || name.endsWith("embeddings.weight"))
    return { scale: 0.5, centre: 0, outliers: false };
  // A uniform number in [−s, s) has the variance s² / 3. The fan-in of `visual.proj` is its first axis.
  const fanIn = name.endsWith("proj") ? shape[0]! : elementCount(shape.slice(1));
  return { scale: Math.fround(Math.sqrt(3 / fanIn)), centre: 0, outliers: false };
}
