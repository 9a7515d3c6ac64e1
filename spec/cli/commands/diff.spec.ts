import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import type { TensorDifference } from "../../../lib/tensor/diff.ts";
import { clipscope } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope diff", () => {
  const folder = temporaryFolder();

  interface Compared {
    readonly same: boolean;
    readonly tensors: readonly TensorDifference[];
  }

  const write = (name: string, tensors: Record<string, readonly number[]>): Promise<void> =>
    writeFile(
      folder.file(name),
      encodeSafetensors(
        Object.entries(tensors).map(([tensor, values]) => ({
          name: tensor,
          dtype: "F32",
          shape: [values.length],
          bytes: new Uint8Array(Float32Array.from(values).buffer),
        })),
      ),
    );

  it("classifies tensors: identical, different by how much, other shapes, only in one model", async () => {
    await write("a.safetensors", { same: [1, NaN], moved: [3, 4, 0], shape: [1], a: [1], "visual.x": [0] });
    await write("b.safetensors", {
      same: [1, NaN],
      moved: [3, 4, 1],
      shape: [1, 2],
      b: [1],
      "visual.x": [0],
    });
    const paths = [folder.file("a.safetensors"), folder.file("b.safetensors")];
    const { status, stdout } = await clipscope(["diff", ...paths, "--json"]);
    assert.equal(status, 1);
    const { same, tensors } = JSON.parse(stdout) as Compared;
    assert.equal(same, false);
    const kinds = Object.fromEntries(tensors.map(({ name, kind }) => [name, kind]));
    assert.deepEqual(kinds, {
      same: "identical",
      moved: "different",
      shape: "shape",
      a: "only-a",
      b: "only-b",
      "visual.x": "identical",
    });
    const moved = tensors.find(({ name }) => name === "moved")!;
    assert.deepEqual([moved.maxAbs, moved.relativeL2, moved.differing], [1, Math.sqrt(1 / 26), 1]);
    const text = await clipscope(["diff", ...paths]);
    assert.match(text.stdout, /^moved: 1 numbers differ, relative L2 1\.96e-1, largest 1\.00e\+0$/m);
    const tower = await clipscope(["diff", ...paths, "--prefix", "visual."]);
    assert.deepEqual([tower.status, tower.stdout], [0, "1 identical\n"]);
    const nothing = await clipscope(["diff", ...paths, "--prefix", "vision."]);
    assert.equal(nothing.status, 2);
  });

  it("does not compare buffers that no layer reads", async () => {
    // training.pt has text.transformer.embeddings.position_ids; exported.pt does not.
    const paths = [fixture("checkpoints/training.pt"), fixture("checkpoints/exported.pt")];
    assert.deepEqual(await clipscope(["diff", ...paths]), {
      status: 0,
      stdout:
        "42 identical\nnot compared, because no layer reads it: text.transformer.embeddings.position_ids\n",
      stderr: "",
    });
    const { stdout } = await clipscope(["diff", ...paths, "--json"]);
    const { same, ignored } = JSON.parse(stdout) as Compared & { ignored: string[] };
    assert.deepEqual([same, ignored], [true, ["text.transformer.embeddings.position_ids"]]);
  });

  it("reports a model and its conversion to fewer bits as equal after rounding", async () => {
    const model = fixture("tiny/gelu-mlp");
    for (const dtype of ["f16", "bf16"]) {
      await clipscope(["convert", model, folder.file(dtype), "--dtype", dtype]);
      for (const pair of [
        [model, folder.file(dtype)],
        [folder.file(dtype), model],
      ] as const) {
        assert.deepEqual(await clipscope(["diff", ...pair]), {
          status: 0,
          stdout: "100 equal after rounding\n",
          stderr: "",
        });
      }
    }
  });
});
