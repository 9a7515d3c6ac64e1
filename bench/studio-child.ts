/**
 * Child process of `sections/studio.ts`: serves a model in the studio, and runs the same passes without the server.
 *
 *     node studio-child.js DIRECTORY BACKEND
 */
import { once } from "node:events";
import { tensor4d } from "@tensorflow/tfjs-core";
import { preprocessImage } from "../lib/image/preprocess.ts";
import { startNodeBackend } from "../lib/node/backends/backends.ts";
import { nodeCodecs } from "../lib/node/images/codecs.ts";
import { loadModel } from "../lib/node/models/load-model.ts";
import { serveModel } from "../lib/node/studio-server/serve-model.ts";
import { summarize } from "../lib/study/summary.ts";
import { disposing } from "../lib/tensor/disposing.ts";
import { parseBackendChoice } from "../lib/tensor/backend.ts";
import { withTaps } from "../lib/tensor/taps.ts";

export interface Task {
  /** The file of an image. */
  readonly bytes: string;
  readonly summaries: boolean;
}

export interface Started {
  readonly url: string;
  readonly backend: string;
}

const [directory, choice] = process.argv.slice(2) as [string, string];
const backend = parseBackendChoice(choice, "backend");
const model = await loadModel(directory, { backend });
const { description } = await startNodeBackend(backend);
const server = await serveModel(model, { name: "bench", backend: description, version: "", port: 0 });
const preprocess = preprocessImage(model.preprocess, nodeCodecs());

/** The seconds from the file to the embedding. */
async function pass({ bytes, summaries }: Task): Promise<number> {
  const start = performance.now();
  const pixels = await preprocess(Buffer.from(bytes, "base64"), "image");
  await disposing(tensor4d(pixels, [1, 3, ...model.preprocess.size]), async (input) => {
    const encode = (): ReturnType<typeof model.encodeImage> => model.encodeImage(input, { normalize: true });
    const features = await (summaries ? withTaps(summarize, encode) : encode());
    await features.data();
    features.dispose();
  });
  return (performance.now() - start) / 1000;
}

process.on("message", (task: Task) => {
  void pass(task).then((seconds) => process.send!(seconds));
});
process.send!({ url: server.url, backend: description } satisfies Started);
await once(process, "disconnect");
await server.close();
await model.dispose();
