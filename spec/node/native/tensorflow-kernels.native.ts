/**
 * Products with packed weights, on the instruction set in use. `built.native.ts` runs this file on every instruction set
 * that the processor has.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { memory, tensor1d, tensor2d, tensor3d, tensor4d, tidy, type Tensor2D } from "@tensorflow/tfjs-core";
import { InputError } from "../../../lib/errors/input-error.ts";
import { attentionContext } from "../../../lib/nn/operations/attention-context.ts";
import { attentionProbabilities } from "../../../lib/nn/operations/attention-probabilities.ts";
import { linear, linearSplit } from "../../../lib/nn/operations/linear.ts";
import { startNodeBackend } from "../../../lib/node/backends/backends.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { weightPacker, type ReducedPrecision } from "../../../lib/tensor/precision.ts";
import { numbers, products, propertyRuns, size } from "../../support/operations.ts";
import { bfloat16Product, int8Product, toBfloat16, type Product } from "../../support/reduced-products.ts";

describe("linear with packed weights", () => {
  before(() => startNodeBackend("tensorflow"));

  function product(rows: number, depth: number, columns: number, seed = ""): Product {
    const x = numbers(`x${seed}`, rows * depth);
    return { rows, depth, columns, x, w: numbers(`weight${seed}`, columns * depth) };
  }

  /** What `linear` takes. Call it inside tidy. */
  function packed({ columns, depth, w }: Product, precision: ReducedPrecision): Tensor2D {
    return weightPacker(precision).pack(tensor2d(w, [columns, depth]), precision) as unknown as Tensor2D;
  }

  function multiply(of: Product, precision: ReducedPrecision): Float32Array {
    return tidy(() =>
      linear(tensor2d(of.x, [of.rows, of.depth]), packed(of, precision)).dataSync<"float32">(),
    );
  }

  const isAmx = (): boolean => weightPacker("bf16").describe("bf16") === "AMX";

  const sizes = [size(70), size(300), size(100)] as const;

  it("bf16 gives the sums of the processor's instructions, bit for bit, for any sizes", () => {
    fc.assert(
      fc.property(...sizes, (rows, depth, columns) => {
        const of = product(rows, depth, columns);
        assert.deepEqual(multiply(of, "bf16"), bfloat16Product(of, isAmx()));
      }),
      propertyRuns,
    );
  });

  it("bf16 is as exact as float32 sums of rounded numbers are", () => {
    for (const [rows, depth, columns] of [
      [33, 5120, 40],
      [1300, 96, 33],
    ] as const) {
      const of = product(rows, depth, columns);
      const [x, w] = [toBfloat16(of.x), toBfloat16(of.w)];
      const exact = products(
        [rows, columns, depth],
        (row, column, k) => x[row * depth + k]! * w[column * depth + k]!,
      );
      const { relativeL2 } = compare(multiply(of, "bf16"), exact);
      assert.ok(relativeL2 < 3e-6, `depth ${depth}: ${relativeL2}`);
    }
  });

  it("int8 quantises rows and columns, and keeps outliers, for any sizes", () => {
    fc.assert(
      fc.property(...sizes, fc.nat(2), (rows, depth, columns, outliers) => {
        const of = product(rows, depth, columns);
        for (let i = 0; i < rows * outliers; i++) of.x[(i * 7919) % of.x.length]! *= 50;
        const { relativeL2 } = compare(multiply(of, "int8"), int8Product(of));
        // A value at the middle of two integers may be rounded to either.
        assert.ok(relativeL2 < 1e-3, `${rows} × ${depth} × ${columns}: ${relativeL2}`);
      }),
      propertyRuns,
    );
  });

  it("int8 sums deep products exactly", () => {
    // Integers, of which the largest is 127 in each row and column: nothing is rounded.
    const [rows, depth, columns] = [3, 5000, 5];
    const integers = (count: number, step: number): Float32Array =>
      Float32Array.from({ length: count }, (_, i) => (i % depth === 0 ? 127 : ((i * step) % 255) - 127));
    const of = { rows, depth, columns, x: integers(rows * depth, 13), w: integers(columns * depth, 29) };
    const exact = products(
      [rows, columns, depth],
      (row, column, k) => of.x[row * depth + k]! * of.w[column * depth + k]!,
    );
    assert.deepEqual(multiply(of, "int8"), Float32Array.from(exact));
  });

  it("int8 keeps the accuracy of a row with outliers", () => {
    const [rows, depth, columns] = [20, 640, 64];
    const of = product(rows, depth, columns);
    for (let i = 0; i < rows; i++) for (const k of [5, 77, 639]) of.x[i * depth + k] = 40 + i;
    const exact = products(
      [rows, columns, depth],
      (row, column, k) => of.x[row * depth + k]! * of.w[column * depth + k]!,
    );
    // Quantised to the 127th part of 60, the other numbers would have an error of 14 %.
    assert.ok(compare(multiply(of, "int8"), exact).relativeL2 < 0.01);
  });

  for (const precision of ["bf16", "int8"] as const) {
    it(`${precision}: a row's result does not depend on the rows beside it`, () => {
      const of = product(90, 200, 70);
      const all = multiply(of, precision);
      for (const row of [0, 31, 32, 89]) {
        const x = of.x.slice(row * 200, (row + 1) * 200);
        assert.deepEqual(
          multiply({ ...of, rows: 1, x }, precision),
          all.slice(row * 70, (row + 1) * 70),
          `row ${row}`,
        );
      }
    });

    it(`${precision}: adds the bias, splits the output, keeps leading axes`, () => {
      const of = product(6, 50, 66);
      const plain = multiply(of, precision);
      tidy(() => {
        const bias = tensor1d(numbers("bias", 66));
        const biases = bias.dataSync();
        const parts = linearSplit(3, tensor3d(of.x, [2, 3, 50]), packed(of, precision), bias);
        assert.deepEqual(
          parts.map(({ shape }) => shape),
          [[2, 3, 22], [2, 3, 22], [2, 3, 22]], // prettier-ignore
        );
        for (const [part, tensor] of parts.entries()) {
          for (const [i, value] of tensor.dataSync<"float32">().entries()) {
            const [row, column] = [Math.floor(i / 22), part * 22 + (i % 22)];
            assert.equal(value, Math.fround(plain[row * 66 + column]! + biases[column]!));
          }
        }
      });
    });

    it(`${precision}: a number that is not finite makes its row so, and no other`, () => {
      for (const value of [NaN, Infinity, -Infinity]) {
        const of = product(3, 70, 5);
        of.x[70 + 3] = value;
        const y = multiply(of, precision);
        assert.deepEqual(Array.from(y, Number.isFinite), [...Array<boolean>(5).fill(true), ...Array<boolean>(5).fill(false), ...Array<boolean>(5).fill(true)]); // prettier-ignore
      }
    });

    it(`${precision}: zeros give zeros`, () => {
      const of = { ...product(4, 40, 6), x: new Float32Array(160) };
      assert.deepEqual(multiply(of, precision), new Float32Array(24));
      assert.deepEqual(
        multiply({ ...product(4, 40, 6), w: new Float32Array(240) }, precision),
        new Float32Array(24),
      );
    });

    it(`${precision}: takes ${precision === "bf16" ? "half" : "a quarter of"} the memory, and frees it`, () => {
      const before = memory();
      const stored = tensor2d(numbers("w", 640 * 1280), [640, 1280]);
      const weight = weightPacker(precision).pack(stored, precision);
      stored.dispose();
      const share = (memory().numBytes - before.numBytes) / (4 * 640 * 1280);
      assert.ok(share < (precision === "bf16" ? 0.505 : 0.255), `${share}`);
      weight.dispose();
      assert.equal(memory().numTensors, before.numTensors);
    });

    it(`${precision}: refuses a weight of another depth, and what is not a packed weight`, () => {
      const of = product(2, 64, 32);
      tidy(() => {
        const weight = packed(of, precision);
        assert.throws(() => linear(tensor2d(of.x.slice(0, 126), [2, 63]), weight), /do not match/);
        const words = weight.dataSync<"int32">();
        for (const damaged of [words.slice(0, 100), words.slice(0, 3), words.slice(1)]) {
          const other = tensor1d(damaged, "int32") as unknown as Tensor2D;
          assert.throws(() => linear(tensor2d(of.x, [2, 64]), other), /packed weight/);
        }
      });
    });
  }

  it("attention in bf16 has the float32 softmax and sums of rounded factors, for any sizes", () => {
    fc.assert(
      fc.property(
        size(2),
        size(3),
        size(70),
        size(85),
        fc.boolean(),
        (batch, heads, length, width, isMasked) => {
          const full = heads * width;
          const shape: [number, number, number] = [batch, length, full];
          const [q, k, v] = ["q", "key", "value"].map((name) => numbers(name, batch * length * full));
          const mask = Float32Array.from({ length }, (_, i) => (isMasked && i % 3 === 1 ? -1e9 : 0));
          const scale = Math.fround(1 / Math.sqrt(Math.fround(width)));
          const scaled = toBfloat16(q!.map((value) => Math.fround(value * scale)));
          const [keys, values] = [toBfloat16(k!), toBfloat16(v!)];
          tidy(() => {
            const probabilities = attentionProbabilities(
              heads,
              tensor3d(q!, shape),
              tensor3d(k!, shape),
              tensor4d(mask, [1, 1, 1, length]),
              "bf16",
            );
            const context = attentionContext(probabilities, tensor3d(v!, shape), "bf16");
            const ours = probabilities.dataSync<"float32">();
            const rounded = toBfloat16(ours);
            const at = (b: number, row: number, head: number): number =>
              (b * length + row) * full + head * width;
            const expected = new Float64Array(ours.length);
            const means = new Float64Array(batch * length * full);
            for (let row = 0; row < batch * heads * length; row++) {
              const [b, head, i] = [
                Math.floor(row / heads / length),
                Math.floor(row / length) % heads,
                row % length,
              ];
              const scores = Array.from({ length }, (_, j) => {
                let score = mask[j]!;
                for (let n = 0; n < width; n++)
                  score += scaled[at(b, i, head) + n]! * keys[at(b, j, head) + n]!;
                return score;
              });
              const highest = Math.max(...scores);
              const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
              for (const [j, score] of scores.entries()) {
                expected[row * length + j] = Math.exp(score - highest) / total;
                for (let n = 0; n < width; n++) {
                  means[at(b, i, head) + n]! += rounded[row * length + j]! * values[at(b, j, head) + n]!;
                }
              }
            }
            assert.ok(compare(ours, expected).relativeL2 < 3e-6, "probabilities");
            assert.ok(compare(context.dataSync(), means).relativeL2 < 2e-6, "context");
          });
        },
      ),
      propertyRuns,
    );
  });

  it("says that only this backend has packed weights", async () => {
    await startNodeBackend("cpu");
    try {
      assert.throws(() => weightPacker("bf16"), InputError);
    } finally {
      await startNodeBackend("tensorflow");
    }
  });
});
