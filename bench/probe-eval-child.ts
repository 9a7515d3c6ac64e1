/**
 * Child process of `sections/probe.ts`: measures a random probe on a features file and prints the figures as JSON. The
 * product alone is the same blocks of logits, which nothing reads.
 *
 *     node probe-eval-child.js FILE CLASSES BACKEND
 */
import { startNodeBackend } from "../lib/node/backends/backends.ts";
import { requireLabels } from "../lib/features/features.ts";
import { readFeatures } from "../lib/node/features/features-files.ts";
import { logitBlocks } from "../lib/probe/logits.ts";
import { Probe } from "../lib/probe/probe.ts";
import { TorchRandom } from "../lib/tensor/torch-random.ts";
import { parseBackendChoice } from "../lib/tensor/backend.ts";

const [path = "", classesText, backend] = process.argv.slice(2);
const classes = Number(classesText);
const { name, description } = await startNodeBackend(parseBackendChoice(backend ?? "auto"));
const before = process.memoryUsage().rss;
const features = requireLabels(await readFeatures(path));
const { rows, width } = features;
const random = new TorchRandom(1);
const probe = new Probe({
  name: "random",
  weight: random.uniform(classes * width, 0.1),
  bias: new Float32Array(classes),
  classNames: null,
  metadata: {},
});

const timed = (work: () => void): number => {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
};
const product = (): void => {
  let read = 0;
  for (const { logits } of logitBlocks(probe, features)) read += logits.length;
  if (read !== rows * classes) throw new Error("not all logits were computed");
};
product(); // the first products are slower
const productSeconds = timed(product);
const seconds = timed(() => {
  probe.evaluate(features);
});
const bytes = 1024 * process.resourceUsage().maxRSS - before - 4 * rows * width;
console.log(
  JSON.stringify({ program: `clipscope, ${name}`, version: description, productSeconds, seconds, bytes }),
);
