/**
 * Answers to HTTP requests without a server: clip-retrieval's searches, embeddings in OpenAI's form, metrics. The
 * sockets are in `serveIndices` of the module clipscope. Runs in browsers and service workers too.
 *
 * @module serve
 */
export {
  EmbeddingsService,
  type EmbeddingsAnswer,
  type EmbeddingsServiceOptions,
} from "./embeddings-service.ts";
export { filterNames, type FilterName, type Filters } from "./filters.ts";
export type { IndexService, Search, ShownRow, VectorTerm } from "./index-service.ts";
export { KnnService, type FetchImage, type KnnAnswer, type KnnServiceOptions } from "./knn-service.ts";
export { Counter, exposition, Gauge, Histogram, metricsType, type Labels, type Metric } from "./metrics.ts";
export { Problem, problemOf, type ProblemStatus } from "./problem.ts";
export { QueryEmbeddings, type QueryEmbeddingsOptions } from "./query-embeddings.ts";
export { routesOf, type Call, type Reply, type Route, type Services } from "./routes.ts";
