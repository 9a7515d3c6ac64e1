import assert from "node:assert/strict";
import fc from "fast-check";
import {
  constant,
  copy,
  join,
  rows,
  transpose,
  type Recipe,
} from "../../../lib/checkpoint/layouts/recipe.ts";
import { TranslatedStore } from "../../../lib/checkpoint/layouts/translated-store.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { roundFloats } from "../../../lib/tensor/rounding.ts";
import { readFloat32, type TensorStore } from "../../../lib/tensor/store.ts";
import { ExampleStore, type ExampleWeights } from "../../support/layers.ts";

function translated(
  weights: ExampleWeights | TensorStore,
  recipes: Record<string, Recipe>,
  isIgnored: (name: string) => boolean = () => false,
): TranslatedStore {
  const store =
    typeof weights["read"] === "function"
      ? (weights as TensorStore)
      : new ExampleStore(weights as ExampleWeights);
  return new TranslatedStore(store, new Map(Object.entries(recipes)), isIgnored);
}

async function valuesOf(
  store: TensorStore,
  name: string,
): Promise<{ shape: readonly number[]; values: number[] }> {
  return { shape: store.tensors.get(name)!.shape, values: [...(await readFloat32(store, name))] };
}

const a = [[1, 2, 3], [4, 5, 6]]; // prettier-ignore
const sum: Recipe = { kind: "sum", from: "a", shape: [2, 3], vector: "v", first: 1 };

describe("TranslatedStore", () => {
  it("copies, reshapes, takes rows, joins, transposes, adds, and has constants", async () => {
    const store = translated(
      { a, v: [10, 20, 30], c: [[7, 8, 9]] },
      {
        copied: copy("a"),
        reshaped: copy("a", [6]),
        second: rows("a", 1, 2),
        joined: join("c", "a", "c"),
        transposed: transpose("a"),
        summed: sum,
        scale: constant(2.5),
      },
    );
    const expected: Record<string, { shape: number[]; values: number[] }> = {
      copied: { shape: [2, 3], values: [1, 2, 3, 4, 5, 6] },
      reshaped: { shape: [6], values: [1, 2, 3, 4, 5, 6] },
      second: { shape: [1, 3], values: [4, 5, 6] },
      joined: { shape: [4, 3], values: [7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
      transposed: { shape: [3, 2], values: [1, 4, 2, 5, 3, 6] },
      summed: { shape: [2, 3], values: [1, 2, 3, 14, 25, 36] },
      scale: { shape: [], values: [2.5] },
    };
    for (const [name, value] of Object.entries(expected))
      assert.deepEqual(await valuesOf(store, name), value, name);
    await assert.rejects(store.read("a"), /no tensor "a"/);
  });

  it("reads any piece of any tensor, into given memory or not", async () => {
    const recipes = {
      copied: copy("a"),
      second: rows("a", 1, 2),
      joined: join("c", "a"),
      transposed: transpose("a"),
      summed: sum,
    };
    const store = translated({ a, v: [10, 20, 30], c: [[7, 8, 9]] }, recipes);
    for (const name of Object.keys(recipes)) {
      const whole = await store.read(name);
      await fc.assert(
        fc.asyncProperty(fc.nat(whole.length), fc.nat(whole.length), fc.boolean(), async (x, y, isReused) => {
          const [start, end] = [Math.min(x, y), Math.max(x, y)];
          const memory = isReused ? new Uint8Array(64) : undefined;
          assert.deepEqual(
            [...(await store.read(name, start, end - start, memory))],
            [...whole.subarray(start, end)],
          );
        }),
        { numRuns: 50 },
      );
      await assert.rejects(store.read(name, 1, whole.length), InputError);
    }
  });

  it("keeps half precision, and adds in float32", async () => {
    const base = new ExampleStore({ a: [[1, 2049], [3, 1]], v: [2 ** -12, 1] }); // prettier-ignore
    const half: TensorStore = {
      name: "half",
      metadata: {},
      tensors: new Map(
        [...base.tensors].map(([name, info]) => [name, { ...info, dtype: "F16", size: info.size / 2 }]),
      ),
      read: async (name, start = 0, length) => {
        const { bytes } = roundFloats("F32", "F16", await base.read(name));
        return bytes.subarray(start, length === undefined ? undefined : start + length);
      },
      close: () => Promise.resolve(),
    };
    const store = translated(half, { x: { kind: "sum", from: "a", shape: [2, 2], vector: "v", first: 1 } });
    assert.equal(store.tensors.get("x")!.dtype, "F16");
    assert.deepEqual((await valuesOf(store, "x")).values, [1, 2048, 3, 2]); // 2049 and 3 + 2⁻¹² round to even
  });

  it("refuses a source that lacks tensors or has others", () => {
    const refused = (
      recipes: Record<string, Recipe>,
      isIgnored?: (name: string) => boolean,
    ): readonly string[] => {
      try {
        translated({ a, v: [1, 2, 3] }, recipes, isIgnored);
      } catch (error) {
        assert.ok(error instanceof InputError);
        assert.match(
          error.message,
          /its tensors do not fit its config: \d missing, \d without a counterpart/,
        );
        return error.details;
      }
      return [];
    };
    assert.deepEqual(refused({ x: copy("a") }), ["unexpected  v [3]"]);
    assert.deepEqual(
      refused({ x: copy("b") }, () => true),
      ["missing     b"],
    );
    assert.deepEqual(
      refused({ x: copy("a") }, (name) => name === "v"),
      [],
    );
  });

  it("refuses shapes that do not fit", () => {
    const weights = { a, v: [10, 20, 30], w: [1, 2] };
    const refused: readonly (readonly [Recipe, RegExp])[] = [
      [copy("a", [7]), /expected numbers for \[7\], found "a" F32 \[2, 3\]/],
      [rows("v", 0, 2), /rows that can be split into 2, found "v" F32 \[3\]/],
      [join("a", "w"), /tensors of one dtype and width/],
      [transpose("v"), /a matrix, found "v"/],
      [{ ...sum, vector: "w" }, /a table \[2, 3\] and a vector \[3\], found .*"w" F32 \[2\]/],
    ];
    for (const [recipe, message] of refused)
      assert.throws(() => translated(weights, { x: recipe }, () => true), message);
  });
});
