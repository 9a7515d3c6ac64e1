/**
 * Answers to HTTP requests: clip-retrieval's searches, embeddings in OpenAI's form, metrics. Knows neither sockets nor
 * files, which `serveIndices` of the module clipscope has.
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
