import assert from "node:assert/strict";
import fc from "fast-check";
import type { Raster } from "../../lib/image/raster.ts";
import { plainHorizontal, plainVertical } from "../../lib/image/resize-fixed.ts";
import {
  coefficientsOf,
  fixedPoint,
  kernels,
  type FixedCoefficients,
} from "../../lib/image/resize-weights.ts";
import { simdHorizontal, simdVertical, wasmLookUp } from "../../lib/image/simd.ts";
import { plainLookUp } from "../../lib/image/transform.ts";

function weightsOf(
  from: number,
  to: number,
  begin: number,
  length: number,
  name: "bicubic" | "bilinear",
): FixedCoefficients {
  const { weights, ...ranges } = coefficientsOf(from, to, kernels[name], begin, length);
  return { ...ranges, weights: fixedPoint(weights) };
}

/** Random samples, with more of the extremes, where sums overshoot and are clipped. */
const samples = (length: number): fc.Arbitrary<Uint8Array> =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .chain((bytes) =>
      fc.boolean().map((extreme) => (extreme ? bytes.map((byte) => (byte < 128 ? 0 : 255)) : bytes)),
    );

const layouts = fc.constantFrom({ stride: 3, bands: 3 }, { stride: 4, bands: 3 }, { stride: 4, bands: 4 });
const filters = fc.constantFrom("bicubic" as const, "bilinear" as const);

/** An image, the new size of one axis, and a window of that axis. */
const cases = fc
  .record({
    width: fc.integer({ min: 1, max: 70 }),
    height: fc.integer({ min: 1, max: 40 }),
    layout: layouts,
  })
  .chain(({ width, height, layout }) =>
    fc.record({
      raster: samples(width * height * layout.stride).map((data): Raster<Uint8Array> => ({
        width,
        height,
        ...layout,
        data,
        swapped: false,
      })),
      filter: filters,
      size: fc.integer({ min: 1, max: 90 }),
      begin: fc.double({ min: 0, max: 0.99, noNaN: true }),
      share: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
  )
  .map(({ begin, share, ...rest }) => {
    const start = Math.floor(begin * rest.size);
    return { ...rest, start, length: Math.max(1, Math.floor(share * (rest.size - start))) };
  });

describe("the SIMD steps of a resize", () => {
  it("give the columns of the plain step, for every width, window and layout", () => {
    fc.assert(
      fc.property(cases, fc.nat(5), ({ raster, filter, size, start, length }, top) => {
        const weights = weightsOf(raster.width, size, start, length, filter);
        const first = Math.min(top, raster.height - 1);
        const window = { left: start, top: first, width: length, height: raster.height - first };
        assert.deepEqual(simdHorizontal(raster, weights, window), plainHorizontal(raster, weights, window));
      }),
      { numRuns: 200 },
    );
  });

  it("give the rows of the plain step, for one band to four", () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 4 }), ({ raster, filter, size, start, length }, bands) => {
        const width = Math.max(1, Math.floor((raster.width * raster.stride) / bands / 2));
        const tight = {
          ...raster,
          width,
          bands,
          stride: bands,
          data: Uint8Array.from(
            { length: width * bands * raster.height },
            (_, i) => raster.data[i % raster.data.length]!,
          ),
        };
        const weights = weightsOf(raster.height, size, start, length, filter);
        assert.deepEqual(simdVertical(tight, weights, length), plainVertical(tight, weights, length));
      }),
      { numRuns: 200 },
    );
  });

  it("pass images in strips", () => {
    const [width, height] = [2000, 300]; // 1.8 MB, several strips
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * i * 31 + i * 7) % 256);
    const raster = { width, height, stride: 3, bands: 3, data, swapped: false };
    const weights = weightsOf(width, 93, 0, 93, "bicubic");
    const window = { left: 0, top: 1, width: 93, height: height - 1 };
    assert.deepEqual(simdHorizontal(raster, weights, window), plainHorizontal(raster, weights, window));
  });

  it("leave layouts and sizes that they do not support to the plain steps", () => {
    const gray = { width: 8, height: 8, stride: 1, bands: 1, data: new Uint8Array(64), swapped: false };
    const weights = weightsOf(8, 4, 0, 4, "bicubic");
    assert.equal(simdHorizontal(gray, weights, { left: 0, top: 0, width: 4, height: 8 }), undefined);
    assert.equal(simdVertical({ ...gray, width: 2, stride: 4, bands: 3 }, weights, 4), undefined);
    // Rows 3,000,000 and following: more than the module's memory may grow to.
    const far = {
      taps: 1,
      first: Int32Array.of(3_000_000),
      count: Int32Array.of(1),
      weights: Int32Array.of(1),
    };
    const tall = { ...gray, width: 30, height: 3_000_001, data: new Uint8Array(90_000_030) };
    assert.equal(simdVertical(tall, far, 1), undefined);
  });
});

describe("the look-up of pixels", () => {
  it("gives the plain values, plane by plane", () => {
    const tables = Float32Array.from({ length: 768 }, (_, i) => Math.fround(Math.sin(i)));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }).chain((pixels) => samples(3 * pixels)),
        (rgb) => {
          assert.deepEqual(wasmLookUp(rgb, tables), plainLookUp(rgb, tables));
        },
      ),
    );
  });
});
