/** A server of indices: opens them, and joins the network, the services and the addresses. */
import { basename, resolve } from "node:path";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { embeddingOptions } from "../../features/origin.ts";
import { EmbeddingsService } from "../../serve/embeddings-service.ts";
import type { Filters } from "../../serve/filters.ts";
import { KnnService } from "../../serve/knn-service.ts";
import { Gauge, type Metric } from "../../serve/metrics.ts";
import { QueryEmbeddings } from "../../serve/query-embeddings.ts";
import { routesOf } from "../../serve/routes.ts";
import { BatchedEncoder } from "../../tasks/batched-encoder.ts";
import type { Entry } from "../http/send-file.ts";
import { openIndex, type OpenedIndex } from "../retrieval/open-index.ts";
import { assertModelOf } from "../retrieval/query-vectors.ts";
import { ApiServer } from "./api-server.ts";
import { DecodeThread } from "./decode-thread.ts";
import { fetchImage } from "./fetch-image.ts";
import { ImageRoots, recordedRoots } from "./image-roots.ts";
import { defaultLimits } from "./limits.ts";
import { searchPage } from "./search-page.ts";
import { checkedServeOptions, type ServeOptions } from "./serve-options.ts";
import { serveRules } from "./serve-rules.ts";
import { defaultColumns, ServedIndex } from "./served-index.ts";

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  readonly indices: readonly ServedIndex[];
  /** Answers what is worked on, then ends. The caller disposes the model. */
  close(): Promise<void>;
}

/**
 * Serves indices over HTTP: searches as clip-retrieval answers them, embeddings, metrics, and a page.
 *
 * @param model of which the indices are; the caller disposes it after the server's end
 * @param modelName for clients
 * @throws InputError for a folder that is not an index, or not of the model; options that do not fit; a taken port
 */
export async function serveIndices(
  model: Clip,
  modelName: string,
  options: ServeOptions,
): Promise<RunningServer> {
  const { folders, port, host, filters, roots, threads, ...checked } = checkedServeOptions(options);
  const opened: OpenedIndex[] = [];
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    for (const folder of folders) {
      // Resolved, so that errors that name the folder can be told from a client's.
      const index = await openIndex(resolve(folder), threads === undefined ? {} : { threads });
      closing.push(() => index.close());
      await assertModelOf(index, model);
      opened.push(index);
    }
    assertTogether(opened);
    const { exifOrientation, convertToRgbFirst } = embeddingOptions(opened[0]!.origin.image);
    const reading = { config: model.preprocess, exifOrientation, convertToRgbFirst };
    const [queries, thumbnails] = [new DecodeThread(reading), new DecodeThread(reading)];
    closing.push(
      () => queries.close(),
      () => thumbnails.close(),
    );
    const indices: ServedIndex[] = [];
    for (const index of opened) {
      indices.push(
        new ServedIndex(index, {
          name: basename(index.path),
          columns: [...defaultColumns, ...checked.columns],
          roots: await ImageRoots.open(await recordedRoots(index.path), roots),
          thumbnails,
        }),
      );
    }
    await assertConditions(opened, filters);
    // The codes are opened now, so that the first query does not wait for them.
    for (const index of opened) {
      for (const side of (["image", "text"] as const).filter((one) => index.has(one)))
        await index.queries.scanner(side);
    }
    const { batchSize, mostWaiting, cached, limits } = checked;
    const encoder = new BatchedEncoder(model, { batchSize, mostWaiting, normalize: true });
    closing.push(() => encoder.close());
    const embeddings = new QueryEmbeddings(encoder, {
      cached,
      readPixels: (content, name, signal) => queries.pixels({ name, content }, signal),
    });
    const { largestBody } = { ...defaultLimits, ...limits };
    const knn = new KnnService({
      indices,
      embeddings,
      filters,
      fetchImage: checked.allowUrls
        ? (url, signal) => fetchImage(url, signal, { largest: largestBody })
        : null,
    });
    const metrics: Metric[] = [...embeddings.metrics, ...knn.metrics, ...gauges(encoder, indices)];
    const routes = routesOf({
      indices,
      knn,
      embeddings: new EmbeddingsService({
        embeddings,
        model: modelName,
        width: model.config.embedDim,
        countTokens: async (text) => (await model.tokenizer()).encode(text).length,
      }),
      model: modelName,
      metrics: () => metrics,
    });
    const { token, allowedHosts, allowedOrigins, page, onError } = checked;
    const rules = serveRules({ host, allowedHosts, allowedOrigins });
    const manifest = page ? await searchPage() : new Map<string, Entry>();
    const server = new ApiServer({ routes, manifest, token, rules, limits, onError });
    metrics.push(...server.metrics);
    await server.listen(port, host);
    closing.push(() => server.stop());
    return { port: server.port, indices, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws InputError for indices that one server cannot serve */
function assertTogether(indices: readonly OpenedIndex[]): void {
  const names = new Set<string>();
  for (const { path } of indices) {
    const name = basename(path);
    if (names.has(name)) {
      throw new InputError(`${path}: another index has the name ${name} too; rename one of the folders`);
    }
    names.add(name);
  }
  const [first, ...others] = indices.map(({ origin, path }) => {
    const { exifOrientation, convertToRgbFirst } = embeddingOptions(origin.image);
    return { path, reading: JSON.stringify([exifOrientation, convertToRgbFirst]) };
  });
  for (const { path, reading } of others) {
    if (reading === first!.reading) continue;
    throw new InputError(
      `${path}: its images were read with other options than those of ${first!.path}; serve it alone`,
    );
  }
}

/** @throws InputError for a filter's condition that an index cannot evaluate */
async function assertConditions(indices: readonly OpenedIndex[], filters: Filters): Promise<void> {
  for (const index of indices) {
    for (const condition of [filters.safety, filters.violence]) {
      if (condition !== undefined) await index.queries.mask(condition);
    }
    for (const vector of filters.aesthetic ?? []) {
      if (vector.length === index.width) continue;
      throw new InputError(
        `--aesthetic: expected vectors of ${index.width} numbers as in ${index.path}, found ${vector.length}`,
      );
    }
  }
}

function gauges(encoder: BatchedEncoder, indices: readonly ServedIndex[]): Metric[] {
  return [
    new Gauge("clipscope_queue_items", "Texts and images that wait for a pass.", () => [
      [{ modality: "text" }, encoder.waiting.texts],
      [{ modality: "image" }, encoder.waiting.images],
    ]),
    new Gauge("clipscope_index_rows", "Rows of each index.", () =>
      indices.map(({ name, rows }) => [{ index: name }, rows] as const),
    ),
    new Gauge("process_resident_memory_bytes", "Memory of the process.", () => [
      [{}, process.memoryUsage.rss()],
    ]),
  ];
}
