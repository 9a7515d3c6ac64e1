/** Weights with low-rank adapters folded in: W + α/r · B · A, computed when a tensor is read. */
import { InputError } from "../errors/input-error.ts";
import { DerivedStore, type DerivedTensor } from "../tensor/derived-store.ts";
import { bytesPerElement, toFloat32 } from "../tensor/dtype.ts";
import { tensorInfo, type TensorStore } from "../tensor/store.ts";

/** The adapter of one matrix, in PyTorch's order. */
export interface LoraMatrices {
  /** [rank, in] */
  readonly a: Float32Array;
  /** [out, rank] */
  readonly b: Float32Array;
  /** α/r */
  readonly scale: number;
}

/**
 * @param adapters by the names of the weights
 * @throws InputError for an adapter that does not fit its weight
 */
export function loraStore(
  name: string,
  base: TensorStore,
  adapters: ReadonlyMap<string, LoraMatrices>,
): DerivedStore {
  const derived = Array.from(adapters, ([weight, lora]): [string, DerivedTensor] => [
    weight,
    folded(base, weight, lora),
  ]);
  return new DerivedStore(name, base, new Map(derived));
}

function folded(base: TensorStore, weight: string, { a, b, scale }: LoraMatrices): DerivedTensor {
  const { shape, dtype } = tensorInfo(base, weight);
  const [rows = 0, columns = 0] = shape;
  const rank = a.length / columns;
  if (shape.length !== 2 || !Number.isInteger(rank) || b.length !== rows * rank) {
    throw new InputError(
      `${base.name}: ${weight} is [${shape.join(", ")}], which does not fit its adapter; it belongs to another model`,
    );
  }
  const size = bytesPerElement[dtype];
  return {
    shape,
    values: async (first, count) => {
      const stored = toFloat32(dtype, await base.read(weight, size * first, size * count));
      const merged = new Float32Array(count);
      for (let i = 0; i < count; i++) {
        const row = Math.floor((first + i) / columns);
        const column = first + i - row * columns;
        let change = 0;
        for (let k = 0; k < rank; k++) change += b[row * rank + k]! * a[k * columns + column]!;
        merged[i] = stored[i]! + scale * change;
      }
      return merged;
    },
  };
}
