import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeWire, encodeWire } from "../../lib/studio/wire.ts";

const numbers = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity));
const typed = fc.oneof(
  fc.array(numbers).map((values) => Float32Array.from(values)),
  fc.array(numbers).map((values) => Float64Array.from(values)),
  fc.uint8Array(),
  fc.array(fc.integer()).map((values) => Int32Array.from(values)),
  fc.array(fc.integer()).map((values) => Uint8ClampedArray.from(values)),
);
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string(),
    fc.boolean(),
    fc.constant(null),
    numbers.map((number) => (Object.is(number, -0) ? 0 : number)),
    typed,
    fc.array(tie("value")),
    fc.dictionary(
      fc.string().filter((key) => !key.startsWith("$") && key !== "__proto__"),
      tie("value"),
      { noNullPrototype: true },
    ),
  ),
}));

describe("the wire of the studio", () => {
  it("keeps values, typed arrays and numbers that are not finite", () => {
    fc.assert(
      fc.property(value, (one) => {
        const line = encodeWire(one);
        assert.ok(!line.includes("\n"));
        assert.deepEqual(decodeWire(line), one);
      }),
    );
  });

  it("writes the bytes of a view, not those of its buffer", () => {
    const whole = Float32Array.of(1, 2, 3, 4);
    assert.deepEqual(decodeWire(encodeWire(whole.subarray(1, 3))), Float32Array.of(2, 3));
    assert.deepEqual(decodeWire(encodeWire(Buffer.from("abc").subarray(1))), Uint8Array.of(98, 99));
    assert.throws(() => encodeWire(new DataView(new ArrayBuffer(1))), /expected one of Uint8Array/);
  });

  for (const [text, message] of [
    ["{", /not valid JSON/],
    ['{"$array": ["Map", "AA=="]}', /expected one of Uint8Array/],
    ['{"$array": ["constructor", "AA=="]}', /expected one of Uint8Array/],
    ['{"$array": "AA=="}', /expected one of Uint8Array/],
    ['{"$array": ["Float32Array", "AA=="]}', /expected a multiple of 4 bytes, found 1/],
    ['{"$array": ["Uint8Array", "?"]}', /not valid base64/],
  ] as const) {
    it(`refuses ${text}`, () => {
      assert.throws(() => decodeWire(text), message);
    });
  }
});
