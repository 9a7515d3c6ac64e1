/** Only `npm run test:native` runs these: weights that TensorFlow's operation reads from the file. */
import assert from "node:assert/strict";
import { truncateSync, writeFileSync } from "node:fs";
import { startNodeBackend } from "../../../lib/node/backends/backends.ts";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import { bytesPerElement, toFloat32, type Dtype } from "../../../lib/tensor/dtype.ts";
import { encodeHeader, SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { weightReader } from "../../../lib/tensor/weight-reader.ts";
import { ModelWeights } from "../../../lib/tensor/model-weights.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const rows = 256;
const columns = 1024;

/** Every pattern of 16 bits, four times; as F32 and F64, numbers of all magnitudes except denormal ones. */
function valuesOf(dtype: Dtype): Uint8Array {
  const count = rows * columns;
  if (dtype === "F32" || dtype === "F64") {
    const numbers = Array.from({ length: count }, (_, i) => (i - 1000.3) * 2 ** ((i % 200) - 100));
    const array = dtype === "F32" ? Float32Array.from(numbers) : Float64Array.from(numbers);
    return new Uint8Array(array.buffer);
  }
  return new Uint8Array(Uint16Array.from({ length: count }, (_, i) => i).buffer);
}

describe("weights read by TensorFlow's operation", () => {
  const folder = temporaryFolder();
  before(() => startNodeBackend("tensorflow"));

  async function open(dtype: Dtype, file: string): Promise<{ weights: ModelWeights; bytes: Uint8Array }> {
    const bytes = valuesOf(dtype);
    const path = folder.file(file);
    // A tensor of odd size comes first, so that offsets are not aligned.
    const specs = [{ name: "matrix", shape: [rows, columns], dtype }] as const;
    writeFileSync(path, Buffer.concat([encodeHeader(specs, { odd: "x" }), bytes]));
    const store = await SafetensorsFile.open(await FileSource.open(path));
    return { weights: new ModelWeights(store), bytes };
  }

  for (const dtype of ["F32", "F16", "BF16", "F64"] as const) {
    it(`equal the numbers of the file, bit for bit, as stored and transposed: ${dtype}`, async () => {
      assert.ok(weightReader(), "this backend reads by itself");
      const expected = toFloat32(dtype, valuesOf(dtype));
      for (const layout of ["asStored", "linear"] as const) {
        const { weights } = await open(dtype, `${dtype}-${layout}.safetensors`);
        const weight = weights.root.get("matrix", [rows, columns], layout);
        weight.prefetch();
        await weight.load();
        const found = weight.tensor.dataSync();
        assert.deepEqual(weight.tensor.shape, layout === "linear" ? [columns, rows] : [rows, columns]);
        for (const [i, value] of expected.entries()) {
          const at = layout === "linear" ? (i % columns) * rows + Math.floor(i / columns) : i;
          if (!Object.is(found[at], value))
            assert.fail(`${layout}, at ${i}: ${found[at]}, expected ${value}`);
        }
        weights.dispose();
        await weights.store.close();
      }
    });
  }

  it("are refused with the usual error if the file is cut short", async () => {
    const { weights, bytes } = await open("F32", "cut.safetensors");
    truncateSync(folder.file("cut.safetensors"), bytes.length * 0.75);
    const weight = weights.root.get("matrix", [rows, columns], "linear");
    await assert.rejects(weight.load(), /InputError: .*cut\.safetensors: cut short: expected \d+ bytes/);
    assert.equal(bytes.length, rows * columns * bytesPerElement.F32);
    await weights.store.close();
  });
});
