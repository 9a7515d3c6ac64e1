/** What goes wrong on a GPU is an error, and never a wrong result. */
import { strict as assert } from "node:assert";
import { backend, memory, square, tensor1d, tidy, zeros, type Rank } from "@tensorflow/tfjs-core";
import { loadModel } from "../../lib/index.ts";
import { nodeGpu } from "../../lib/node/backends/webgpu.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { assertFitsGpu } from "../../lib/tensor/gpu-limits.ts";
import { listAdapters, webgpuDevice } from "../../lib/webgpu/index.ts";
import { loadTiny } from "../support/golden.ts";

/** Buffers that tensors and passes use; freed ones are kept for later passes. */
function bytesInUse(): number {
  return (memory() as unknown as { readonly numBytesInGPU: number }).numBytesInGPU;
}

describe("the webgpu device", () => {
  it("is described, with its limits", async () => {
    const { name, description } = await startNodeBackend();
    assert.equal(name, "webgpu");
    assert.match(description, /^webgpu on \w+/);
    const adapters = await listAdapters(await nodeGpu());
    assert.ok(adapters.length > 0 && description === `webgpu on ${adapters[0]!.name}`);
    // Not WebGPU's defaults, but what the adapter has.
    const { limits } = webgpuDevice()!.device;
    assert.equal(limits.maxStorageBufferBindingSize, adapters[0]!.maxStorageBufferBindingSize);
    assert.equal(limits.maxBufferSize, adapters[0]!.maxBufferSize);
  });

  it("refuses weights that are larger than its buffers", async () => {
    const model = await loadTiny("plain");
    assertFitsGpu(model.weights, webgpuDevice()!.device.limits);
    assert.throws(
      () => {
        assertFitsGpu(model.weights, { maxBufferSize: 4096, maxStorageBufferBindingSize: 2 ** 27 });
      },
      {
        name: "InputError",
        message: /larger than this GPU's buffers of 4096 bytes; choose the backend wasm$/,
      },
    );
    await model.dispose();
  });

  it("reads nothing synchronously", async () => {
    const x = square(zeros([3000]));
    assert.throws(() => x.dataSync(), /^InputError: webgpu: this computation reads results sync/);
    assert.equal((await x.data())[0], 0);
    x.dispose();
  });

  it("has no more buffers in use after a pass than before, also with streamed weights", async () => {
    const model = await loadModel(undefined, { residency: "streamed" });
    const pixels = zeros<Rank.R4>([1, 3, ...model.config.vision.imageSize]);
    const used: number[] = [];
    const tensors: number[] = [];
    for (let i = 0; i < 3; i++) {
      const features = await model.encodeImage(pixels);
      await features.data();
      features.dispose();
      const submit = tidy(() => square(zeros([3000]))); // reading it frees what is queued
      await submit.data();
      submit.dispose();
      used.push(bytesInUse());
      tensors.push(memory().numTensors);
    }
    assert.equal(used[1], used[2]);
    assert.equal(tensors[1], tensors[2]);
    pixels.dispose();
    await model.dispose();
  });

  it("reports a call that the GPU refuses, at the next result", async () => {
    const { device } = webgpuDevice()!;
    const x = square(zeros([3000]));
    device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE }); // not allowed together
    await assert.rejects(x.data(), {
      name: "InputError",
      message: /^webgpu: the GPU reports an error: .*load the model again, or choose the backend wasm$/,
    });
    x.dispose();
    await startNodeBackend();
    assert.deepEqual([...(await square(tensor1d([3])).data())], [9]);
  });

  it("reports that it is lost, and the next model runs on a new one", async () => {
    const model = await loadTiny("plain");
    const pixels = zeros<Rank.R4>([1, 3, ...model.config.vision.imageSize]);
    const before = await (await model.encodeImage(pixels)).data();
    const lost = backend();
    webgpuDevice()!.device.destroy();
    const pass = async (): Promise<unknown> => (await model.encodeImage(pixels)).data();
    const error = {
      name: "InputError",
      message: /^webgpu: the GPU device was lost \(destroyed.*\); load the model again/,
    };
    await assert.rejects(pass(), error);
    await assert.rejects(pass(), error);
    await model.dispose();

    await startNodeBackend();
    assert.notEqual(backend(), lost);
    const again = await loadTiny("plain");
    const image = zeros<Rank.R4>([1, 3, ...again.config.vision.imageSize]);
    assert.deepEqual(await (await again.encodeImage(image)).data(), before);
    await again.dispose();
  });
});
