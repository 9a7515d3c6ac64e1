/**
 * Weights between those of two models: (1 − α) · base + α · tuned, computed when a tensor is read.
 *
 * Paper: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022 (arXiv 2109.01903), section 3 (WiSE-FT).
 * Source: wise-ft, src/wise_ft.py, _merge.
 */
import { InputError } from "../errors/input-error.ts";
import { DerivedStore, type DerivedTensor } from "./derived-store.ts";
import { bytesPerElement, elementCount, toFloat32 } from "./dtype.ts";
import { tensorInfo, type TensorStore } from "./store.ts";

/** Elements of one read. */
const elementsAtOnce = 2 ** 20;

/** (1 − α) a + α b in float32, as PyTorch computes it. */
export function interpolate(a: ArrayLike<number>, b: ArrayLike<number>, alpha: number): Float32Array {
  const [ofA, ofB] = [Math.fround(1 - alpha), Math.fround(alpha)];
  const merged = new Float32Array(a.length); // a loop: Float32Array.from takes 30 times as long
  for (let i = 0; i < merged.length; i++) merged[i] = Math.fround(ofA * a[i]!) + Math.fround(ofB * b[i]!);
  return merged;
}

/**
 * The tensors that differ between two models of one architecture, whatever their dtypes.
 *
 * @param onElements called with the number of elements compared since the last call
 * @throws InputError for other names or shapes
 */
export async function changedTensors(
  base: TensorStore,
  tuned: TensorStore,
  names: Iterable<string>,
  onElements: (count: number) => void = () => undefined,
): Promise<string[]> {
  const changed: string[] = [];
  for (const name of names) {
    const shapes = [base, tuned].map((store) => tensorInfo(store, name).shape);
    if (String(shapes[0]) !== String(shapes[1])) {
      throw new InputError(
        `${tuned.name}: ${name} is [${shapes[1]!.join(", ")}], in ${base.name} [${shapes[0]!.join(", ")}]; expected two models of one architecture`,
      );
    }
    const count = elementCount(shapes[0]!);
    for (let at = 0; at < count; at += elementsAtOnce) {
      const size = Math.min(elementsAtOnce, count - at);
      const [one, other] = await Promise.all([numbers(base, name, at, size), numbers(tuned, name, at, size)]);
      onElements(size);
      let same = 0;
      while (same < size && Object.is(one[same], other[same])) same++;
      if (same === size) continue;
      onElements(count - at - size);
      changed.push(name);
      break;
    }
  }
  return changed;
}

/** @param changed the tensors to interpolate; the others are the base's, as they are stored. Closing it closes the base */
export function interpolatedStore(
  name: string,
  base: TensorStore,
  tuned: TensorStore,
  changed: readonly string[],
  alpha: number,
): DerivedStore {
  const derived = changed.map((own): [string, DerivedTensor] => [
    own,
    {
      shape: tensorInfo(base, own).shape,
      values: async (first, count) => {
        const [a, b] = await Promise.all([
          numbers(base, own, first, count),
          numbers(tuned, own, first, count),
        ]);
        return interpolate(a, b, alpha);
      },
    },
  ]);
  return new DerivedStore(name, base, new Map(derived));
}

async function numbers(
  store: TensorStore,
  name: string,
  first: number,
  count: number,
): Promise<Float32Array> {
  const { dtype } = tensorInfo(store, name);
  const size = bytesPerElement[dtype];
  return toFloat32(dtype, await store.read(name, size * first, size * count));
}
