import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { Golden } from "../../lib/parity/golden.ts";
import type { SyncByteSource } from "../../lib/tensor/store.ts";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";
import { editSafetensors, type StoredTensor } from "../support/edit-safetensors.ts";
import { tinyGolden } from "../support/golden.ts";
import { MemorySource } from "../support/memory-source.ts";
import { assertNear } from "../support/near.ts";

/** A file in memory that can be read at once. */
class SyncMemory extends MemorySource implements SyncByteSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    super(bytes, "golden.safetensors");
    this.#bytes = bytes;
  }

  readSync(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(offset, offset + length);
  }
}

type Change = (tensors: Map<string, StoredTensor>, metadata: Map<string, string>) => void;

async function changedGolden(change: Change): Promise<SyncMemory> {
  return new SyncMemory(await editSafetensors(tinyGolden("plain"), change));
}

/** One with a single tap, and that tap's values. */
const sampled = (tensors: Map<string, StoredTensor>, shape: number[]): void => {
  for (const name of [...tensors.keys()]) if (!name.startsWith("input.")) tensors.delete(name);
  tensors.set("visual", {
    dtype: "F32",
    shape,
    bytes: new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)),
  });
};

describe("Golden", () => {
  it("reads the inputs and the taps as PyTorch wrote them", async () => {
    const golden = await Golden.open(await changedGolden(() => undefined));
    assert.deepEqual(golden.imageShape, [2, 3, 28, 28]);
    assert.deepEqual([golden.text!.length, golden.text![0]!.length], [3, 12]);
    // Python: struct.unpack on the fixture's bytes
    assert.deepEqual(golden.text![0]!.slice(0, 4), [118, 18, 28, 24]);
    assert.deepEqual(golden.taps.get("visual.conv1"), [2, 32, 2, 2]);
    assert.equal(golden.taps.size, 62);
    assertNear([...golden.readTap("visual.conv1").slice(0, 2)], [-0.5764850378036499, 1.1032580137252808], 0);
    const before = memory().numTensors;
    const image = golden.readImage()!;
    assert.deepEqual(image.shape, [2, 3, 28, 28]);
    assertNear(
      [...(await image.data<"float32">()).slice(0, 2)],
      [-1.1258398294448853, -1.152360200881958],
      0,
    );
    image.dispose();
    assert.equal(memory().numTensors, before);
    assert.deepEqual([golden.samples, golden.syntheticArch, golden.float32Error], [null, null, null]);
    assert.throws(() => golden.readTap("nothing"), { name: "InputError", message: /nothing/ });
    await golden.close();
  });

  it("may lack one of the inputs", async () => {
    const image = await Golden.open(await changedGolden((tensors) => tensors.delete("input.text")));
    assert.deepEqual([image.text, image.imageShape], [null, [2, 3, 28, 28]]);
    const text = await Golden.open(await changedGolden((tensors) => tensors.delete("input.image")));
    assert.deepEqual([text.imageShape, text.readImage()], [null, null]);
  });

  it("makes synthetic pixels of the shape in its metadata", async () => {
    const golden = await Golden.open(
      await changedGolden((tensors, metadata) => {
        tensors.delete("input.image");
        metadata.set("image_shape", "[1, 3, 2, 4]").set("weights", "synthetic").set("arch", "ViT-B-32");
      }),
    );
    assert.equal(golden.syntheticArch, "ViT-B-32");
    const image = golden.readImage()!;
    assert.deepEqual(image.shape, [1, 3, 2, 4]);
    assert.deepEqual(await image.data(), syntheticValues("input.image", image.shape, 0, 24));
    image.dispose();
  });

  it("keeps the reference's own error, and the number of samples", async () => {
    const golden = await Golden.open(
      await changedGolden((tensors, metadata) => {
        sampled(tensors, [10]);
        metadata.set("samples", "8").set("float32_error", '{"visual": 3e-7}');
      }),
    );
    assert.deepEqual([golden.samples, golden.float32Error], [8, new Map([["visual", 3e-7]])]);
  });

  const refused: readonly (readonly [what: string, change: Change, message: RegExp])[] = [
    [
      "has no input",
      (tensors) => {
        tensors.delete("input.image");
        tensors.delete("input.text");
      },
      /not a golden: it has neither input\.image nor input\.text/,
    ],
    [
      "has no tap",
      (tensors) => {
        for (const name of [...tensors.keys()]) if (!name.startsWith("input.")) tensors.delete(name);
      },
      /not a golden: it has inputs, but no taps/,
    ],
    [
      "has an image of another rank",
      (tensors) => tensors.set("input.image", { ...tensors.get("input.image")!, shape: [2, 3, 784] }),
      /input\.image: expected F32 \[B, 3, H, W\], found F32 \[2, 3, 784\]/,
    ],
    [
      "has an image of other channels",
      (tensors) => tensors.set("input.image", { ...tensors.get("input.image")!, shape: [3, 2, 28, 28] }),
      /input\.image: expected F32 \[B, 3, H, W\], found F32 \[3, 2, 28, 28\]/,
    ],
    [
      "has no row of text",
      (tensors) => tensors.set("input.text", { dtype: "I64", shape: [0, 12], bytes: new Uint8Array() }),
      /input\.text: expected I64 \[T, L\], found I64 \[0, 12\]/,
    ],
    [
      "has text of floats",
      (tensors) => tensors.set("input.text", { dtype: "F64", shape: [3, 12], bytes: new Uint8Array(288) }),
      /input\.text: expected I64 \[T, L\], found F64 \[3, 12\]/,
    ],
    [
      "has a tap of integers",
      (tensors) => tensors.set("visual", { dtype: "I64", shape: [2], bytes: new Uint8Array(16) }),
      /visual: expected F32, found I64: a golden's taps are floats/,
    ],
    [
      "has samples that are not a number",
      (_tensors, metadata) => metadata.set("samples", "many"),
      /metadata "samples": expected a whole number above 0, found "many"/,
    ],
    [
      "has a tap with another number of samples",
      (tensors, metadata) => {
        sampled(tensors, [9]);
        metadata.set("samples", "8");
      },
      /visual: expected norm, mean and 8 samples, found the shape \[9\]/,
    ],
    [
      "has errors that are not numbers",
      (_tensors, metadata) => metadata.set("float32_error", '{"visual": "small"}'),
      /metadata "float32_error": expected visual to be a number, found "small"/,
    ],
    [
      "has a synthetic image whose shape is not a list",
      (tensors, metadata) => {
        tensors.delete("input.image");
        metadata.set("image_shape", "224");
      },
      /metadata "image_shape": expected an array, found 224/,
    ],
  ];
  for (const [what, change, message] of refused) {
    it(`refuses and closes a file that ${what}`, async () => {
      const source = await changedGolden(change);
      await assert.rejects(Golden.open(source), (error: Error) => {
        assert.equal(error.name, "InputError");
        assert.match(error.message, /^golden\.safetensors: /);
        assert.match(error.message, message);
        return true;
      });
      assert.ok(source.closed);
    });
  }
});
