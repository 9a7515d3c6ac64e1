import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { JsonValue } from "../../lib/json/json-value.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { classEmbeddings } from "../../lib/tasks/class-embeddings.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { assertNear } from "../support/near.ts";
import { fixture } from "../support/paths.ts";

describe("classEmbeddings", () => {
  it("equals CLIP_benchmark's classifiers of the demo model, with repeated, blank and padded names", async () => {
    const path = fixture("eval/prompts.json");
    const cases = JsonValue.parse(await readFile(path), path)
      .at("classifiers")
      .items();
    assert.equal(cases.length, 4);
    const golden = await SafetensorsFile.open(await FileSource.open(fixture("eval/metrics.safetensors")));
    const model = await loadModel(fixture("demo-model"));
    try {
      for (const one of cases) {
        const name = one.at("name").string();
        const prompts = one
          .at("prompts")
          .items()
          .map((list) => list.strings());
        const { values, rows, width } = await classEmbeddings(
          prompts,
          async (texts) => disposing(await model.encodeText(texts), (tensor) => tensor.data<"float32">()),
          { promptsAtOnce: 5 },
        );
        const expected = new Float32Array((await golden.read(`${name}.classifier`)).slice().buffer);
        assert.deepEqual([rows, width], golden.tensors.get(`${name}.classifier`)!.shape, name);
        assertNear([...values], [...expected], 2e-6);
      }
    } finally {
      await model.dispose();
      await golden.close();
    }
  });

  it("normalises each prompt, and their mean", async () => {
    // (1, 0) and (0, 1) whatever their norms: the mean is (½, ½).
    const embed = (): Promise<Float32Array> => Promise.resolve(Float32Array.from([3, 0, 0, 0.5]));
    const { values } = await classEmbeddings([["a", "b"]], embed);
    assertNear([...values], [Math.SQRT1_2, Math.SQRT1_2], 1e-7);
  });

  it("embeds equal prompts of a batch once, and counts them as often as they occur", async () => {
    const asked: string[][] = [];
    const done: number[] = [];
    const embed = (texts: readonly string[]): Promise<Float32Array> => {
      asked.push([...texts]);
      return Promise.resolve(Float32Array.from(texts.flatMap((text) => (text === "a" ? [1, 0] : [0, 1]))));
    };
    const { values, rows, width } = await classEmbeddings(
      [["a", "a", "a", "b"], ["b"], ["a"], ["b", "a"]],
      embed,
      {
        promptsAtOnce: 5,
        onProgress: (classes) => done.push(classes),
      },
    );
    assert.deepEqual(asked, [
      ["a", "b"],
      ["a", "b"],
    ]);
    assert.deepEqual(done, [2, 4]);
    assert.deepEqual([rows, width], [4, 2]);
    assertNear([...values.subarray(0, 4)], [3 / Math.sqrt(10), 1 / Math.sqrt(10), 0, 1], 1e-7);
  });

  it("rejects classes without prompts or without a direction, and damaged embeddings", async () => {
    const embed = (values: number[]) => (): Promise<Float32Array> =>
      Promise.resolve(Float32Array.from(values));
    await assert.rejects(classEmbeddings([], embed([])), /at least one class/);
    await assert.rejects(classEmbeddings([["a"], []], embed([1])), /class 1: expected at least one prompt/);
    await assert.rejects(classEmbeddings([["a", "b"]], embed([1, -1])), /class 0: .* cancel out/);
    await assert.rejects(classEmbeddings([["a"]], embed([NaN])), /class 0: .* not finite/);
  });
});
