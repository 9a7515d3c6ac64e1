import assert from "node:assert/strict";
import { PbfReader } from "pbf";
import { readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import { imageTowerModel } from "../../bench/peers/onnx.ts";
import { editSafetensors } from "../support/edit-safetensors.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { fixture } from "../support/paths.ts";
import { MemorySource } from "../support/memory-source.ts";

/** Field numbers. Source: onnx/onnx, onnx/onnx.proto. */
const numbers = {
  model: { irVersion: 1, graph: 7, opsetImport: 8 },
  graph: { node: 1, initializer: 5, input: 11, output: 12 },
  node: { input: 1, output: 2, opType: 4, domain: 7 },
  tensor: { dims: 1, dataType: 2, int64Data: 7, name: 8, externalData: 13, dataLocation: 14 },
  entry: { key: 1, value: 2 },
  valueInfo: { name: 1 },
} as const;

/** A message read by pbf, which is independent of the writer, protobufjs. */
class Message {
  readonly #integers: (readonly [number: number, value: number])[] = [];
  readonly #payloads: (readonly [number: number, bytes: Uint8Array])[] = [];

  constructor(bytes: Uint8Array) {
    new PbfReader(bytes).readFields((number, _, reader) => {
      if (reader.type === 0) this.#integers.push([number, reader.readVarint()]);
      else this.#payloads.push([number, reader.readBytes()]);
    }, undefined);
  }

  messages(number: number): Message[] {
    return valuesOf(this.#payloads, number).map((payload) => new Message(payload));
  }

  strings(number: number): string[] {
    return valuesOf(this.#payloads, number).map((payload) => Buffer.from(payload).toString());
  }

  integers(number: number): number[] {
    return valuesOf(this.#integers, number);
  }
}

function valuesOf<T>(fields: readonly (readonly [number: number, value: T])[], number: number): T[] {
  return fields.filter(([field]) => field === number).map(([, value]) => value);
}

describe("the ONNX model of the image tower", () => {
  const directory = fixture("tiny/gelu-mlp");
  let graph: Message;
  let store: Awaited<ReturnType<typeof openWeights>>;

  before(async () => {
    const { config } = await readModelDirectory(directory);
    store = await openWeights(directory);
    const model = new Message(imageTowerModel(config, store));
    [graph] = model.messages(numbers.model.graph) as [Message];
    assert.deepEqual(model.integers(numbers.model.irVersion), [9]);
    assert.equal(model.messages(numbers.model.opsetImport).length, 2);
  });

  after(() => store.close());

  it("refers to every byte of the tower's weights in the safetensors file, once", () => {
    const { tensor, entry } = numbers;
    const ranges: { offset: number; length: number }[] = [];
    for (const initializer of graph.messages(numbers.graph.initializer)) {
      if (initializer.integers(tensor.dataLocation).length === 0) continue; // shapes
      assert.deepEqual(initializer.integers(tensor.dataType), [1]);
      const place = new Map(
        initializer
          .messages(tensor.externalData)
          .map((pair) => [pair.strings(entry.key)[0], pair.strings(entry.value)[0]]),
      );
      assert.equal(place.get("location"), "open_clip_model.safetensors");
      const [offset, length] = [Number(place.get("offset")), Number(place.get("length"))];
      const dims = initializer.integers(tensor.dims);
      assert.equal(length, 4 * dims.reduce((product, size) => product * size, 1));
      ranges.push({ offset, length });
    }
    const covered = ranges
      .sort((a, b) => a.offset - b.offset)
      .flatMap(({ offset, length }) => Array.from({ length: length / 4 }, (_, i) => offset + 4 * i));
    const visual = [...store.tensors].filter(([name]) => name.startsWith("visual.")).map(([, info]) => info);
    const expected = visual
      .sort((a, b) => a.offset - b.offset)
      .flatMap(({ offset, size }) => Array.from({ length: size / 4 }, (_, i) => offset + 4 * i));
    assert.deepEqual(covered, expected);
  });

  it("uses every value after its definition, and defines its outputs", () => {
    const { node, tensor, valueInfo } = numbers;
    const known = new Set([
      ...graph.messages(numbers.graph.input).flatMap((input) => input.strings(valueInfo.name)),
      ...graph.messages(numbers.graph.initializer).flatMap((weight) => weight.strings(tensor.name)),
    ]);
    const used = new Set<string>();
    for (const operation of graph.messages(numbers.graph.node)) {
      for (const input of operation.strings(node.input)) {
        assert.ok(known.has(input), `${operation.strings(node.opType)[0]} takes ${input}`);
        used.add(input);
      }
      for (const output of operation.strings(node.output)) known.add(output);
    }
    const outputs = graph.messages(numbers.graph.output).flatMap((output) => output.strings(valueInfo.name));
    for (const output of outputs) used.add(output);
    assert.deepEqual(known, used);
    assert.equal(outputs.length, 1);
  });

  it("is refused for weights that are not float32", async () => {
    const { config } = await readModelDirectory(directory);
    const bytes = await editSafetensors(`${directory}/open_clip_model.safetensors`, (tensors) => {
      const { shape } = tensors.get("visual.proj")!;
      const size = 2 * shape.reduce((product, one) => product * one, 1);
      tensors.set("visual.proj", { dtype: "F16", shape, bytes: new Uint8Array(size) });
    });
    const half = await SafetensorsFile.open(new MemorySource(bytes, "half.safetensors"));
    assert.throws(() => imageTowerModel(config, half), /half\.safetensors: visual\.proj: expected F32/);
  });
});
