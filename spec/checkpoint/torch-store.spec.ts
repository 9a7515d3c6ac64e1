import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import fc from "fast-check";
import { openTorchCheckpoint } from "../../lib/checkpoint/index.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { openWeightsFile } from "../../lib/node/models/weights-file.ts";
import { bytesPerElement } from "../../lib/tensor/dtype.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { tensorInfo, type TensorStore } from "../../lib/tensor/store.ts";
import { MemorySource } from "../support/memory-source.ts";
import { fixture } from "../support/paths.ts";

const open = async (file: string): Promise<TensorStore> =>
  (await openWeightsFile(fixture(`checkpoints/${file}`))).store;

describe("TorchStore", () => {
  let expected: SafetensorsFile;

  before(async () => {
    expected = await SafetensorsFile.open(await FileSource.open(fixture("checkpoints/expected.safetensors")));
  });

  after(() => expected.close());

  /** What PyTorch had: name in the file → name in expected.safetensors. */
  function expectedNames(file: string): Map<string, string> {
    const names = [...expected.tensors.keys()].filter((name) => name.startsWith(`${file}:`));
    return new Map(names.map((name) => [name.slice(file.length + 1), name]));
  }

  const files: Record<string, string> = {
    "dtypes.pt": "zip",
    "dtypes-legacy.pt": "legacy",
    "views.pt": "zip",
    "views-legacy.pt": "legacy",
    "big-endian.pt": "zip",
    "torchscript.pt": "torchscript",
    "protocol-2.pt": "zip",
    "protocol-3.pt": "zip",
    "protocol-4.pt": "zip",
    "protocol-5.pt": "zip",
    "protocol-2-legacy.pt": "legacy",
    "protocol-3-legacy.pt": "legacy",
    "protocol-4-legacy.pt": "legacy",
    "protocol-5-legacy.pt": "legacy",
  };
  for (const [file, format] of Object.entries(files)) {
    it(`${file}: every tensor's bytes are PyTorch's`, async () => {
      const weights = await openWeightsFile(fixture(`checkpoints/${file}`));
      assert.equal(weights.format, format);
      const names = expectedNames(file);
      assert.ok(names.size > 3);
      assert.deepEqual([...weights.store.tensors.keys()].sort(), [...names.keys()].sort());
      for (const [name, key] of names) {
        const [ours, theirs] = [tensorInfo(weights.store, name), tensorInfo(expected, key)];
        assert.deepEqual([name, ours.dtype, ours.shape], [name, theirs.dtype, theirs.shape]);
        assert.deepEqual(await weights.store.read(name), await expected.read(key), name);
      }
      await weights.store.close();
    });
  }

  it("covers every file that is committed", async () => {
    const models = ["training.pt", "training-legacy.pt", "exported.pt"];
    const committed = (await readdir(fixture("checkpoints"))).filter((name) => name.endsWith(".pt"));
    assert.deepEqual(committed.sort(), [...Object.keys(files), ...models].sort());
  });

  it("reads any part of any view, byte by byte", async () => {
    for (const file of ["views.pt", "views-legacy.pt", "big-endian.pt"]) {
      const store = await open(file);
      const names = [...expectedNames(file)];
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(), async ([name, key], a, b) => {
          const { size } = tensorInfo(store, name);
          const [start, end] = [a % (size + 1), b % (size + 1)].sort((x, y) => x - y) as [number, number];
          const whole = await expected.read(key);
          assert.deepEqual(await store.read(name, start, end - start), whole.slice(start, end));
        }),
        { numRuns: 300 },
      );
      await store.close();
    }
  });

  it("gives a tensor's position in the file", async () => {
    const store = await open("dtypes.pt");
    const bytes = await readFile(fixture("checkpoints/dtypes.pt"));
    const { offset, size } = tensorInfo(store, "float32.random");
    assert.deepEqual(
      new Uint8Array(bytes.subarray(offset, offset + size)),
      await store.read("float32.random"),
    );
    await store.close();
  });

  it("verifies a storage's checksum while it is read, and before a part of it is read", async () => {
    const views = new Uint8Array(await readFile(fixture("checkpoints/views.pt")));
    const good = await openTorchCheckpoint(new MemorySource(views.slice()));
    for (const name of ["tied", "shared.head", "transposed", "parameter"]) {
      const { offset } = tensorInfo(good.store, name);
      const damaged = views.slice();
      damaged[offset]! ^= 1;
      const { store } = await openTorchCheckpoint(new MemorySource(damaged, "damaged.pt"));
      await assert.rejects(store.read(name), (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, /^damaged\.pt: .*\/data\/\d+ is damaged \(its checksum does not match\)/);
        return true;
      });
    }
    const { dtype, offset, size } = tensorInfo(good.store, "tied");
    const damaged = views.slice();
    damaged[offset]! ^= 1;
    const { store } = await openTorchCheckpoint(new MemorySource(damaged));
    const piece = 5 * bytesPerElement[dtype];
    await assert.rejects(async () => {
      for (let at = 0; at < size; at += piece) await store.read("tied", at, Math.min(piece, size - at));
    }, /checksum/);
  });
});
