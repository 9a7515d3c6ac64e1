import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { tensor4d } from "@tensorflow/tfjs-core";
import { demoModel, loadModel } from "../../lib/index.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";
import { Participant } from "../../bench/participant.ts";
import { farthest } from "../../bench/distance.ts";
import { rowsOf } from "../../bench/peers/protocol.ts";

const program = fileURLToPath(new URL("../../bench/peers/clipscope.js", import.meta.url));

describe("a participant", () => {
  it("measures the given model on the same pixels as the other participants", async () => {
    const participant = await Participant.start({
      title: "clipscope",
      command: process.execPath,
      args: [program, demoModel, "wasm", "auto"],
    });
    try {
      assert.equal(participant.name, "clipscope, wasm");
      const image = await participant.ask({ kind: "image", batch: 2 });
      const rows = [[0, 5, 6, 2]];
      const text = await participant.ask({ kind: "text", rows, batchSize: 1, padTo: 77 });
      const memory = await participant.ask({ kind: "memory" });
      assert.ok(image.seconds > 0 && text.seconds > 0 && memory.peak! > 30e6);

      const model = await loadModel(demoModel);
      const [height, width] = model.config.vision.imageSize;
      const shape: [number, number, number, number] = [2, 3, height, width];
      const pixels = tensor4d(syntheticValues("input.image", shape, 0, 6 * height * width), shape);
      const [images, texts] = [await model.encodeImage(pixels), await model.encodeTokens(rows)];
      const here = (await images.array()).map((row) => Float32Array.from(row));
      assert.ok(farthest(rowsOf(image, 2), here) < 1e-5);
      assert.ok(farthest(rowsOf(text, 1), [(await texts.data()) as Float32Array]) < 1e-5);
      for (const tensor of [pixels, images, texts]) tensor.dispose();
      await model.dispose();
    } finally {
      await participant.stop();
    }
  });

  it("reports in one line why it cannot start", async () => {
    const start = (command: string, ...args: string[]): Promise<Participant> =>
      Participant.start({ title: "peer", command, args });
    await assert.rejects(
      start(
        process.execPath,
        "-e",
        "console.error('first'); console.error('no such module'); process.exit(1)",
      ),
      (error) => error instanceof InputError && error.message === "peer: no such module",
    );
    await assert.rejects(
      start(process.execPath, "-e", "require('no-such')"),
      /^InputError: peer: Error: Cannot find/,
    );
    await assert.rejects(start("clipscope-no-such-program"), /peer: cannot start clipscope-no-such-program/);
  });
});
