/** Fits a probe to a features file, in a process of its own: probe-fit.js FILE ITERATIONS C BACKEND. Prints its figures as JSON. */
import { startNodeBackend } from "../lib/node/backends/backends.ts";
import { readFeatures, requireLabels } from "../lib/features/features.ts";
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
