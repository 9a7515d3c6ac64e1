import { strict as assert } from "node:assert";
import { createRequire } from "node:module";
import fc from "fast-check";
import { bytesPerElement, elementCount, type Dtype } from "../../lib/tensor/dtype.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { encodeHeader, encodeSafetensors, SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32, readIntegers } from "../../lib/tensor/store.ts";
import { MemorySource, rawSafetensors } from "../support/memory-source.ts";

async function open(bytes: Uint8Array): Promise<SafetensorsFile> {
  return SafetensorsFile.open(new MemorySource(bytes));
}

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

describe("safetensors: reading", () => {
  const tensors = [
    { name: "bytes", dtype: "U8", shape: [3], bytes: Uint8Array.of(1, 2, 3) },
    { name: "matrix", dtype: "F32", shape: [2, 2], bytes: floats(1, 2, 3, 4) },
    { name: "scalar", dtype: "F32", shape: [], bytes: floats(5) },
    { name: "nothing", dtype: "F32", shape: [0, 7], bytes: floats() },
    { name: "ids", dtype: "I64", shape: [2], bytes: new Uint8Array(BigInt64Array.of(7n, -1n).buffer) },
  ] as const;
  const bytes = encodeSafetensors(tensors, { made: "here" });

  it("finds what was written", async () => {
    const file = await open(bytes);
    assert.deepEqual([...file.tensors.keys()].sort(), ["bytes", "ids", "matrix", "nothing", "scalar"]);
    assert.deepEqual(file.metadata, { made: "here" });
    assert.deepEqual([...(await readFloat32(file, "matrix"))], [1, 2, 3, 4]);
    assert.deepEqual([...(await readFloat32(file, "scalar"))], [5]);
    assert.deepEqual([...(await readFloat32(file, "nothing"))], []);
    assert.deepEqual(await readIntegers(file, "ids"), [7, -1]);
    assert.deepEqual(await readIntegers(file, "bytes"), [1, 2, 3]);
  });

  it("reads only the header and the requested tensors", async () => {
    const source = new MemorySource(bytes);
    const file = await SafetensorsFile.open(source);
    const headerEnd = Math.max(...source.reads.map(({ offset, length }) => offset + length));
    assert.equal(Math.min(...[...file.tensors.values()].map(({ offset }) => offset)), headerEnd);
    source.reads.length = 0;
    assert.deepEqual([...(await file.read("matrix", 4, 8))], [...floats(2, 3)]);
    assert.deepEqual(source.reads, [{ offset: (file.tensors.get("matrix")?.offset ?? 0) + 4, length: 8 }]);
  });

  it("accepts tensors without elements, at any position in the header", async () => {
    const file = rawSafetensors(
      '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"none":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}',
      new Uint8Array(2),
    );
    const { tensors } = await SafetensorsFile.open(new MemorySource(file));
    assert.deepEqual([...tensors.keys()], ["a", "none"]);
  });

  it("is read the same by the npm package safetensors", () => {
    const { SafeTensor } = createRequire(import.meta.url)("safetensors") as OtherReader;
    // That reader does not support __metadata__.
    const other = new SafeTensor(encodeSafetensors(tensors));
    assert.equal(other.metadata.size, tensors.length);
    for (const { name, dtype, shape, bytes } of tensors) {
      assert.deepEqual([...other.getTensor(name)], [...bytes], name);
      assert.equal(other.metadata.get(name)?.dtype, dtype);
      assert.deepEqual(other.metadata.get(name)?.shape, shape);
    }
  });

  it("begins its data at a multiple of 8 bytes and keeps every tensor aligned", async () => {
    for (const { offset, dtype } of (await open(bytes)).tensors.values()) {
      assert.equal(offset % bytesPerElement[dtype], 0);
    }
  });
});

interface OtherReader {
  readonly SafeTensor: new (bytes: Uint8Array) => {
    readonly metadata: Map<string, { dtype: string; shape: number[] }>;
    getTensor(name: string): Uint8Array;
  };
}

describe("safetensors: what is refused", () => {
  const entry = `"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`;
  const eight = new Uint8Array(8);
  const cases: readonly [string, Uint8Array, RegExp][] = [
    ["an empty file", new Uint8Array(), /at least 8 bytes, found 0/],
    [
      "a text file",
      new TextEncoder().encode("hello world, no tensors here"),
      /declare a header of \d+ bytes/,
    ],
    ["a header beyond the file", rawSafetensors("{}").subarray(0, 9), /ends at byte 10, beyond the file's 9/],
    ["an HTML page's length", new TextEncoder().encode("<!DOCTYPE html>"), /the limit is 100000000/],
    ["a header that is not UTF-8", rawSafetensors(Uint8Array.of(0x7b, 0xff, 0x7d)), /not valid JSON .*utf-8/],
    ["a header that begins with a blank", rawSafetensors(" {}"), /does not begin with "\{"/],
    ["a header that is not JSON", rawSafetensors("{]"), /not valid JSON/],
    ["an array", rawSafetensors("[]"), /does not begin with/],
    [
      "metadata that is not an object",
      rawSafetensors('{"__metadata__":[]}'),
      /expected __metadata__ to be an object/,
    ],
    [
      "metadata that is not text",
      rawSafetensors('{"__metadata__":{"a":1}}'),
      /__metadata__\.a to be a string, found 1/,
    ],
    ["an entry that is not an object", rawSafetensors('{"a":7}'), /expected a to be an object, found 7/],
    [
      "an unknown dtype",
      rawSafetensors(`{${entry.replace("F32", "F31")}}`, eight),
      /expected a\.dtype to be one of BOOL, .*, found "F31"/,
    ],
    [
      "a dtype of Object's",
      rawSafetensors(`{${entry.replace("F32", "toString")}}`, eight),
      /found "toString"/,
    ],
    [
      "an unknown field",
      rawSafetensors(`{${entry.replace('"shape"', '"x":1,"shape"')}}`, eight),
      /expected a\.x to be absent, found 1/,
    ],
    [
      "no shape",
      rawSafetensors('{"a":{"dtype":"F32","data_offsets":[0,8]}}', eight),
      /a\.shape .* found nothing/,
    ],
    [
      "a negative size",
      rawSafetensors(`{${entry.replace("[2]", "[-2]")}}`, eight),
      /a\.shape\[0\] .* found -2/,
    ],
    [
      "half a size",
      rawSafetensors(`{${entry.replace("[2]", "[2.5]")}}`, eight),
      /a\.shape\[0\] .* found 2\.5/,
    ],
    [
      "an overflowing shape",
      rawSafetensors(`{${entry.replace("[2]", "[4294967296,4294967296]")}}`, eight),
      /a\.shape to be less than 2\^53 bytes/,
    ],
    [
      "one offset",
      rawSafetensors(`{${entry.replace("[0,8]", "[0]")}}`, eight),
      /a\.data_offsets to be \[begin, end\], found \[0\]/,
    ],
    [
      "offsets the wrong way round",
      rawSafetensors(`{${entry.replace("[0,8]", "[8,0]")}}`, eight),
      /a\.data_offsets to be 8 bytes apart, .* found \[8, 0\]/,
    ],
    [
      "bytes that do not fit the shape",
      rawSafetensors(`{${entry.replace("[2]", "[3]")}}`, eight),
      /12 bytes apart, for F32 \[3\], found \[0, 8\]/,
    ],
    [
      "a gap",
      rawSafetensors(`{${entry.replace("[0,8]", "[4,12]")}}`, new Uint8Array(12)),
      /expected 0 \(a gap\)/,
    ],
    [
      "an overlap",
      rawSafetensors(
        `{${entry},${entry.replace('"a"', '"b"').replace("[0,8]", "[4,12]")}}`,
        new Uint8Array(12),
      ),
      /expected 8 \(an overlap\)/,
    ],
    ["a file cut short", rawSafetensors(`{${entry}}`, new Uint8Array(7)), /cut short\?/],
    ["a file with a tail", rawSafetensors(`{${entry}}`, new Uint8Array(9)), /its tensors end at byte/],
    ["a name given twice", rawSafetensors(`{${entry},${entry}}`, eight), /unique keys, found "a" twice/],
    [
      "a name given twice, once with an escape",
      rawSafetensors(`{${entry},${entry.replace('"a"', '"\\u0061" ')}}`, eight),
      /found "a" twice/,
    ],
    ["metadata given twice", rawSafetensors('{"__metadata__":{"k":"1","k":"2"}}'), /found "k" twice/],
  ];
  for (const [what, bytes, message] of cases) {
    it(what, async () => {
      const source = new MemorySource(bytes);
      await assert.rejects(SafetensorsFile.open(source), (error: unknown) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        assert.match(error.message, /^memory\.safetensors: not a valid safetensors file/);
        return true;
      });
      assert.ok(source.closed, "the file is closed");
      assert.ok(source.reads.every(({ length }) => length <= 100_000_000));
    });
  }

  it("keys may repeat in different objects and in strings", async () => {
    const header = `{"__metadata__":{"a":"{\\"a\\":1}","shape":"x"},${entry}}`;
    assert.equal((await open(rawSafetensors(header, eight))).tensors.size, 1);
  });

  it("writing refuses a header that could not be read again", () => {
    const metadata = { paths: "x".repeat(100_000_000) };
    assert.throws(
      () => encodeHeader([{ name: "a", dtype: "U8", shape: [] }], metadata),
      /a safetensors header of 1000000\d\d bytes \(1 tensors, and metadata\) cannot be written, the format's limit is 100000000/,
    );
  });

  it("writing refuses duplicates and bytes that do not fit", () => {
    assert.throws(
      () =>
        encodeHeader([
          { name: "a", dtype: "U8", shape: [] },
          { name: "a", dtype: "U8", shape: [] },
        ]),
      InputError,
    );
    assert.throws(() => encodeHeader([{ name: "__metadata__", dtype: "U8", shape: [] }]), InputError);
    assert.throws(
      () => encodeSafetensors([{ name: "a", dtype: "F32", shape: [2], bytes: eight.subarray(1) }]),
      InputError,
    );
  });
});

describe("safetensors: any file", () => {
  const dtype = fc.constantFrom(...(Object.keys(bytesPerElement) as Dtype[]));
  const tensor = fc
    .record({ name: fc.string({ unit: "binary" }), dtype, shape: fc.array(fc.nat(4), { maxLength: 4 }) })
    .filter(({ name }) => name !== "__metadata__" && name.isWellFormed())
    .map((spec) => ({ ...spec, bytes: bytesOf(elementCount(spec.shape) * bytesPerElement[spec.dtype]) }));
  const file = fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 });
  const text = fc.string({ unit: "binary" }).filter((value) => value.isWellFormed());

  it("comes back as it was written", () =>
    fc.assert(
      fc.asyncProperty(file, fc.dictionary(text, text), async (tensors, metadata) => {
        const read = await open(encodeSafetensors(tensors, metadata));
        assert.deepEqual({ ...read.metadata }, { ...metadata });
        assert.equal(read.tensors.size, tensors.length);
        for (const { name, dtype, shape, bytes } of tensors) {
          assert.equal(read.tensors.get(name)?.dtype, dtype);
          assert.deepEqual(read.tensors.get(name)?.shape, shape);
          assert.deepEqual(await read.read(name), bytes);
        }
      }),
    ));

  it("damaged anywhere is read or refused with an InputError", () =>
    fc.assert(
      fc.asyncProperty(
        file,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat()),
        async (tensors, flips, cut) => {
          const bytes = encodeSafetensors(tensors);
          for (const [position, value] of flips) bytes[position % bytes.length] = value;
          await readsOrRefuses(cut === null ? bytes : bytes.subarray(0, cut % bytes.length));
        },
      ),
      { numRuns: 500 },
    ));

  it("of any JSON in its header is read or refused with an InputError", () =>
    fc.assert(
      fc.asyncProperty(fc.json(), fc.uint8Array(), (json, data) =>
        readsOrRefuses(rawSafetensors(json, data)),
      ),
      { numRuns: 500 },
    ));

  it("of plausible entries is read or refused with an InputError", () => {
    const number = fc.oneof(fc.nat(16), fc.integer(), fc.double(), fc.constantFrom(2 ** 53, 2 ** 64, -1));
    const entry = fc.record(
      {
        dtype: fc.oneof(dtype, fc.string()),
        shape: fc.array(number),
        data_offsets: fc.array(number, { maxLength: 3 }),
      },
      { requiredKeys: [] },
    );
    return fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), entry), fc.uint8Array(), (header, data) =>
        readsOrRefuses(rawSafetensors(JSON.stringify(header), data)),
      ),
      { numRuns: 500 },
    );
  });
});

function bytesOf(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 37);
}

/** Asserts that every tensor lies inside the file. */
async function readsOrRefuses(bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(bytes);
    for (const [name, { offset, size }] of file.tensors) {
      assert.ok(offset >= 8 && offset + size <= bytes.length);
      assert.equal((await file.read(name)).length, size);
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}
