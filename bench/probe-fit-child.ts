/**
 * Child process of `sections/probe.ts`: fits a probe to a features file and prints the figures as JSON.
 *
 *     node probe-fit-child.js FILE ITERATIONS C BACKEND
 */
import { startNodeBackend } from "../lib/node/backends/backends.ts";
import { requireLabels } from "../lib/features/features.ts";
import { readFeatures } from "../lib/node/features/features-files.ts";
import { fitLogisticRegression } from "../lib/probe/logistic-regression.ts";
import { parseBackendChoice } from "../lib/tensor/backend.ts";

const [path = "", iterationsText, C, backend] = process.argv.slice(2);
const { name, description } = await startNodeBackend(parseBackendChoice(backend ?? "auto"));
const before = process.memoryUsage().rss;
const features = requireLabels(await readFeatures(path));
const start = performance.now();
const { iterations } = fitLogisticRegression(features, {
  C: Number(C),
  maxIterations: Number(iterationsText),
  tolerance: 0,
});
const seconds = (performance.now() - start) / 1000;
const bytes = 1024 * process.resourceUsage().maxRSS - before;
console.log(
  JSON.stringify({ program: `clipscope, ${name}`, version: description, iterations, seconds, bytes }),
);
