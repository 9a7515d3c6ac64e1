/** Layers on given weights, for worked examples. */
import assert from "node:assert/strict";
import { memory, tidy, type Tensor } from "@tensorflow/tfjs-core";
import { ModelWeights, type WeightScope } from "../../lib/tensor/model-weights.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { loadAll, type Loadable, type Residency } from "../../lib/tensor/weight.ts";

/** Numbers nested as deep as the tensor has axes: [[1, 2, 3], [4, 5, 6]] has the shape [2, 3]. */
export type Numbers = number | readonly Numbers[];

/** The weights of an example, by name. */
export type ExampleWeights = Readonly<Record<string, Numbers>>;

/** A store of the given numbers in float32. It records the name of each tensor that is read. */
export class ExampleStore implements TensorStore {
  readonly name = "example weights";
  readonly metadata = {};
  readonly tensors: TensorStore["tensors"];
  readonly reads: string[] = [];
  readonly #values: Map<string, Float32Array>;

  constructor(weights: ExampleWeights) {
    const entries = Object.entries(weights);
    this.#values = new Map(entries.map(([name, numbers]) => [name, Float32Array.from(flat(numbers))]));
    this.tensors = new Map(
      entries.map(([name, numbers]) => [
        name,
        { dtype: "F32", shape: shapeOf(numbers), offset: 0, size: 4 * flat(numbers).length },
      ]),
    );
  }

  read(name: string, start = 0, length?: number): Promise<Uint8Array> {
    this.reads.push(name);
    const bytes = new Uint8Array(this.#values.get(name)!.buffer);
    return Promise.resolve(bytes.slice(start, length === undefined ? undefined : start + length));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Builds something on example weights, and checks that it asks for exactly these weights. */
export function buildOn<L>(
  weights: ExampleWeights,
  build: (scope: WeightScope) => L,
  residency: Residency = "resident",
): { readonly layer: L; readonly weights: ModelWeights; readonly store: ExampleStore } {
  const store = new ExampleStore(weights);
  const all = new ModelWeights(store, residency);
  const layer = build(all.root);
  all.assertAllRead();
  return { layer, weights: all, store };
}

/**
 * Builds a layer on example weights, loads them, and calls `use`. Fails if the layer asks for other weights than these,
 * or if a tensor is left at the end.
 *
 * @param rows the rows of tables to load, for layers that look up ids
 */
export async function withLayer<L>(
  weights: ExampleWeights,
  build: (scope: WeightScope) => L,
  use: (layer: L) => void,
  rows: (layer: L) => readonly Loadable[] = () => [],
): Promise<void> {
  const before = memory().numTensors;
  const { layer, weights: all } = buildOn(weights, build);
  await loadAll([all.root, ...rows(layer)]);
  tidy(() => {
    use(layer);
  });
  all.dispose();
  assert.equal(memory().numTensors, before, "a tensor is left");
}

/** The values of all taps that `run` emits, by name, in their order. Fails if one is emitted twice. */
export function tapsOf(run: () => unknown): Record<string, Numbers> {
  const taps: Record<string, Numbers> = {};
  withTaps((name, value) => {
    assert.ok(!(name in taps), `the tap "${name}" is emitted twice`);
    taps[name] = value.arraySync();
  }, run);
  return taps;
}

/** Compares shape and values. @param tolerance absolute up to 1, relative above */
export function assertValues(ours: Tensor | Numbers, expected: Numbers, tolerance = 1e-6): void {
  const numbers = typeof ours === "object" && "arraySync" in ours ? (ours.arraySync() as Numbers) : ours;
  assert.deepEqual(shapeOf(numbers), shapeOf(expected), "shape");
  const values = flat(numbers);
  for (const [i, value] of flat(expected).entries()) {
    const difference = Math.abs(values[i]! - value);
    assert.ok(
      difference <= tolerance * Math.max(1, Math.abs(value)),
      `at ${i}: ${JSON.stringify(numbers)}, expected ${JSON.stringify(expected)}`,
    );
  }
}

function shapeOf(numbers: Numbers): number[] {
  return typeof numbers === "number"
    ? []
    : [numbers.length, ...(numbers.length > 0 ? shapeOf(numbers[0]!) : [])];
}

function flat(numbers: Numbers): number[] {
  return typeof numbers === "number" ? [numbers] : numbers.flatMap(flat);
}
