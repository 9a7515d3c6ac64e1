/** Compares two stores tensor by tensor, in chunks. */
import { bytesPerElement, elementCount, toNumbers, weightDtypes, type Dtype } from "./dtype.ts";
import { roundFloats, type FloatDtype } from "./rounding.ts";
import { tensorInfo, type TensorStore } from "./store.ts";

/**
 * - `identical`: the same dtype, shape and bytes.
 * - `rounded`: rounding one to the other's dtype gives the other's bytes.
 * - `different`: the numbers differ.
 * - `shape`: the shapes differ.
 * - `only-a`, `only-b`: the other side lacks the tensor.
 */
export type DifferenceKind = "identical" | "rounded" | "different" | "shape" | "only-a" | "only-b";

/** The result of comparing one tensor of two stores. */
export interface TensorDifference {
  readonly name: string;
  readonly kind: DifferenceKind;
  readonly dtypes: readonly [a: Dtype | null, b: Dtype | null];
  readonly shapes: readonly [a: readonly number[] | null, b: readonly number[] | null];
  /** Largest |a − b|; null if the tensors cannot be compared or it is not finite. */
  readonly maxAbs: number | null;
  /** ‖a − b‖ / ‖b‖; null in the same cases. */
  readonly relativeL2: number | null;
  /** Number of elements that differ; null if the tensors cannot be compared. */
  readonly differing: number | null;
}

/** Elements of each side that are in memory at once. */
const chunkElements = 1024 * 1024;

/** Compares the tensors whose names begin with a prefix: those of `a` in its order, then those that only `b` has. */
export async function* diffStores(
  a: TensorStore,
  b: TensorStore,
  prefix = "",
): AsyncGenerator<TensorDifference, void, undefined> {
  const names = new Set([...a.tensors.keys(), ...b.tensors.keys()]);
  for (const name of names) {
    if (name.startsWith(prefix)) yield diffTensor(a, b, name);
  }
}

async function diffTensor(a: TensorStore, b: TensorStore, name: string): Promise<TensorDifference> {
  const [infoA, infoB] = [a.tensors.get(name), b.tensors.get(name)];
  const common = {
    name,
    dtypes: [infoA?.dtype ?? null, infoB?.dtype ?? null],
    shapes: [infoA?.shape ?? null, infoB?.shape ?? null],
    maxAbs: null,
    relativeL2: null,
    differing: null,
  } as const;
  if (!infoA || !infoB) return { ...common, kind: infoA ? "only-a" : "only-b" };
  if (infoA.shape.join() !== infoB.shape.join()) return { ...common, kind: "shape" };
  return { ...common, ...(await diffNumbers(a, b, name)) };
}

type NumberDifference = Pick<TensorDifference, "kind" | "maxAbs" | "relativeL2" | "differing">;

async function diffNumbers(a: TensorStore, b: TensorStore, name: string): Promise<NumberDifference> {
  const [typeA, typeB] = [tensorInfo(a, name).dtype, tensorInfo(b, name).dtype];
  if (typeA === typeB && (await haveEqualBytes(a, b, name))) {
    return { kind: "identical", maxAbs: 0, relativeL2: 0, differing: 0 };
  }
  let [isRoundedA, isRoundedB] = [mayRound(typeB, typeA), mayRound(typeA, typeB)];
  let [maxAbs, squares, norm, differing, isComparable] = [0, 0, 0, 0, true];
  for await (const [bytesA, bytesB] of pieces(a, b, name)) {
    isRoundedA &&= equalBytes(roundFloats(typeB, typeA as FloatDtype, bytesB).bytes, bytesA);
    isRoundedB &&= equalBytes(roundFloats(typeA, typeB as FloatDtype, bytesA).bytes, bytesB);
    const [numbersA, numbersB] = [toNumbers(typeA, bytesA), toNumbers(typeB, bytesB)];
    if (numbersA === null || numbersB === null) {
      isComparable = false;
      continue;
    }
    for (let i = 0; i < numbersB.length; i++) {
      const [x, y] = [numbersA[i]!, numbersB[i]!];
      norm += y * y;
      if (x === y || Object.is(x, y)) continue;
      differing++;
      const difference = Math.abs(x - y);
      if (!(difference <= maxAbs)) maxAbs = difference;
      squares += difference * difference;
    }
  }
  const kind = isRoundedA || isRoundedB ? "rounded" : "different";
  if (!isComparable) return { kind, maxAbs: null, relativeL2: null, differing: null };
  const relativeL2 = squares === 0 ? 0 : Math.sqrt(squares / norm);
  return { kind, maxAbs: finite(maxAbs), relativeL2: finite(relativeL2), differing };
}

async function haveEqualBytes(a: TensorStore, b: TensorStore, name: string): Promise<boolean> {
  for await (const [bytesA, bytesB] of pieces(a, b, name)) if (!equalBytes(bytesA, bytesB)) return false;
  return true;
}

/** Reads both sides in chunks of the same elements. */
async function* pieces(
  a: TensorStore,
  b: TensorStore,
  name: string,
): AsyncGenerator<[Uint8Array, Uint8Array], void, undefined> {
  const count = elementCount(tensorInfo(a, name).shape);
  const read = (store: TensorStore, first: number): Promise<Uint8Array> => {
    const element = bytesPerElement[tensorInfo(store, name).dtype];
    return store.read(name, first * element, Math.min(chunkElements, count - first) * element);
  };
  for (let first = 0; first < count; first += chunkElements) {
    yield await Promise.all([read(a, first), read(b, first)]);
  }
}

/** Whether numbers of one dtype can be rounded to the other. */
function mayRound(from: Dtype, to: Dtype): boolean {
  return from !== to && weightDtypes.includes(from) && weightDtypes.includes(to) && to !== "F64";
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  // Four bytes at a time where both sides are aligned.
  const [wideA, wideB] = [a, b].map(({ buffer, byteOffset, length }) =>
    byteOffset % 4 === 0 ? new Uint32Array(buffer, byteOffset, Math.floor(length / 4)) : undefined,
  );
  const wide = wideA && wideB ? wideA.length : 0;
  for (let i = 0; i < wide; i++) if (wideA![i] !== wideB![i]) return false;
  for (let i = 4 * wide; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
