/**
 * The participant onnxruntime-node. It takes 288 MB and is not a dependency: FOLDER is where npm has installed it.
 *
 *     node onnxruntime.js FOLDER TOWER.onnx MATRIX.onnx HEIGHT WIDTH
 */
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { syntheticValues } from "../../lib/tensor/synthetic.ts";
import { timed } from "../rounds.ts";
import { encodeEmbedding, type Reply } from "./protocol.ts";
import { serve } from "./serve.ts";

/** The part of onnxruntime-node's API that is used here. */
interface OnnxRuntime {
  readonly env: { readonly versions: { readonly node?: string; readonly common: string } };
  readonly InferenceSession: {
    create(path: string, options: object): Promise<Session>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => Tensor;
}

interface Tensor {
  readonly data: Float32Array;
}

interface Session {
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, Tensor>>>;
}

const [folder = ".", tower = "", product = "", height, width] = process.argv.slice(2);
const require = createRequire(join(resolve(folder), "any.js"));
const { env, InferenceSession, Tensor } = require("onnxruntime-node") as OnnxRuntime;
const options = { intraOpNumThreads: availableParallelism(), logSeverityLevel: 3 };
const sessions = new Map<string, Promise<Session>>();

async function run(path: string, inputs: readonly (readonly [string, Tensor])[]): Promise<Reply> {
  if (!sessions.has(path)) sessions.set(path, InferenceSession.create(path, options));
  const session = (await sessions.get(path))!;
  let output: Float32Array | undefined;
  const { seconds } = await timed(async () => {
    const outputs = await session.run(Object.fromEntries(inputs));
    output = outputs[session.outputNames[0]!]!.data;
  });
  return { seconds, embedding: encodeEmbedding(output!) };
}

function image(batch: number): Promise<Reply> {
  const shape = [batch, 3, Number(height), Number(width)];
  const pixels = syntheticValues(
    "input.image",
    shape,
    0,
    shape.reduce((a, b) => a * b),
  );
  return run(tower, [["pixels", new Tensor("float32", pixels, shape)]]);
}

async function matrix(size: number): Promise<Reply> {
  const values = syntheticValues("matrix", [size, size], 0, size * size);
  const operand = new Tensor("float32", values, [size, size]);
  const { seconds } = await run(product, [
    ["a", operand],
    ["b", operand],
  ]);
  return { seconds };
}

await serve(
  { name: "onnxruntime-node", version: env.versions.node ?? env.versions.common },
  { image: ({ batch }) => image(batch), matrix: ({ size }) => matrix(size) },
);
