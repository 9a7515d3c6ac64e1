/** Answers `POST /knn-service` and `POST /metadata`, as clip-retrieval does. */
import { toBase64 } from "../features/base64.ts";
import type { JsonValue } from "../json/json-value.ts";
import { applyFilters, type Filters } from "./filters.ts";
import type { IndexService, ShownRow, Side, VectorTerm } from "./index-service.ts";
import { readKnnRequest, readMetadataRequest, type KnnRequest, type SentTerm } from "./knn-request.ts";
import { Histogram, type Metric } from "./metrics.ts";
import { Problem } from "./problem.ts";
import type { QueryEmbeddings } from "./query-embeddings.ts";

/** Near-duplicates have at least this cosine. Source: clip_back.py, get_non_uniques. */
const duplicateSimilarity = 0.94;

/** Results that carry their image: each is decoded and encoded again. */
export const mostImages = 100;

/** Gets an image from its address. @throws Problem if it cannot be had */
export type FetchImage = (url: string, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;

/** What a {@link KnnService} searches, and with what. */
export interface KnnServiceOptions {
  readonly indices: readonly IndexService[];
  readonly embeddings: QueryEmbeddings;
  readonly filters: Filters;
  /** Null if addresses are not accepted. */
  readonly fetchImage: FetchImage | null;
}

/** A row of an answer. */
export type Result = Readonly<Record<string, unknown>> & { readonly id: number; readonly similarity: number };

/** The rows of a search. */
export interface KnnAnswer {
  readonly results: readonly Result[];
  /** Fields of the request that have no effect. */
  readonly ignored: readonly string[];
}

/** Searches indices as requests say. */
export class KnnService {
  readonly #options: KnnServiceOptions;
  readonly #searches = new Histogram("clipscope_search_seconds", "Time of a search in an index.");

  constructor(options: KnnServiceOptions) {
    this.#options = options;
  }

  get metrics(): readonly Metric[] {
    return [this.#searches];
  }

  /** @throws InputError or Problem for a request that cannot be answered; the signal's reason */
  async query(body: JsonValue, signal: AbortSignal): Promise<KnnAnswer> {
    const request = readKnnRequest(body);
    const index = this.#index(request.index);
    const { side, ids, images, where, min, deduplicate } = request;
    if (!index.has(side)) throw new Problem(400, `modality: ${index.name} has no vectors of ${side}s`);
    const applied = applyFilters(request.asked, this.#options.filters);
    if (ids === 0) return { results: [], ignored: applied.ignored };
    const terms = await this.#embedded(request.terms, index, signal);
    const vector = plus(await index.vectorOf(terms, side), applied.added);
    signal.throwIfAborted();
    const found = await this.#searches.time(
      () =>
        index.search(
          vector,
          {
            side,
            top: ids,
            conditions: applied.conditions,
            ...(where !== null && { where }),
            ...(min !== null && { min }),
            ...(deduplicate && { dedup: duplicateSimilarity }),
          },
          signal,
        ),
      { index: index.name },
    );
    const shown = found.slice(0, images).map(({ id }) => id);
    const rows = await this.#rows(index, shown, request, signal);
    return {
      results: found.map(({ id, score }, i) => ({ ...rows[i], id, similarity: score })),
      ignored: applied.ignored,
    };
  }

  /** @throws InputError or Problem for a request that cannot be answered; the signal's reason */
  async metadata(body: JsonValue, signal: AbortSignal): Promise<readonly { id: number; metadata: object }[]> {
    const { index: name, ids } = readMetadataRequest(body);
    const index = this.#index(name);
    const rows = await index.shownRows(ids);
    const withImages = await this.#withImages(index, ids, rows, signal);
    return ids.map((id, i) => ({ id, metadata: withImages[i]! }));
  }

  #index(name: string): IndexService {
    const found = this.#options.indices.find((index) => index.name === name);
    if (found !== undefined) return found;
    const names = this.#options.indices.map((index) => index.name).join(", ");
    throw new Problem(404, `indice_name: expected one of ${names}, found ${JSON.stringify(name)}`);
  }

  async #rows(
    index: IndexService,
    ids: readonly number[],
    { side, returnImages, returnEmbeddings }: KnnRequest,
    signal: AbortSignal,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const rows = await index.shownRows(ids);
    const withImages = returnImages ? await this.#withImages(index, ids, rows, signal) : rows;
    if (!returnEmbeddings) return withImages;
    return withEmbeddings(index, ids, withImages, side);
  }

  /** Adds the images of the first rows. */
  async #withImages(
    index: IndexService,
    ids: readonly number[],
    rows: readonly ShownRow[],
    signal: AbortSignal,
  ): Promise<readonly ShownRow[]> {
    const images = await Promise.all(ids.slice(0, mostImages).map((id) => index.thumbnail(id, signal)));
    return rows.map((row, i) => {
      const image = images[i] ?? null;
      return image === null ? row : { ...row, image: toBase64(image) };
    });
  }

  /** Embeds what is not embedded yet: all texts together, and all images. */
  async #embedded(
    sent: readonly SentTerm[],
    { width }: IndexService,
    signal: AbortSignal,
  ): Promise<VectorTerm[]> {
    const { embeddings, fetchImage } = this.#options;
    for (const term of sent) {
      if (!("vector" in term) || term.vector.length === width) continue;
      throw new Problem(400, `embedding_input: expected ${width} numbers, found ${term.vector.length}`);
    }
    if (fetchImage === null && sent.some((term) => "imageUrl" in term)) {
      throw new Problem(403, "image_url: this server fetches no addresses; send the image in base64");
    }
    const texts = sent.flatMap((term) => ("text" in term ? [term.text] : []));
    const images = sent.flatMap((term) => {
      if ("image" in term) return [Promise.resolve(term.image)];
      return "imageUrl" in term ? [fetchImage!(term.imageUrl, signal)] : [];
    });
    const [ofTexts, ofImages] = await Promise.all([
      embeddings.texts(texts, signal),
      Promise.all(images).then((all) =>
        embeddings.images(
          all.map((bytes) => ({ name: "image", bytes })),
          signal,
        ),
      ),
    ]);
    const [nextText, nextImage] = [ofTexts.values(), ofImages.values()];
    return sent.map((term) => {
      const { weight } = term;
      if ("id" in term) return { id: term.id, weight };
      if ("vector" in term) return { vector: term.vector, weight };
      return { vector: ("text" in term ? nextText : nextImage).next().value!, weight };
    });
  }
}

async function withEmbeddings(
  index: IndexService,
  ids: readonly number[],
  rows: readonly ShownRow[],
  side: Side,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { width } = index;
  const vectors = await index.vectors(ids, side);
  return rows.map((row, i) => ({
    ...row,
    embedding: Array.from(vectors.subarray(i * width, (i + 1) * width)),
  }));
}

/** The sum, of norm 1. */
function plus(
  query: Float32Array,
  added: { readonly vector: Float32Array; readonly weight: number } | null,
): Float32Array {
  if (added === null) return query;
  const sum = query.map((value, i) => value + added.weight * added.vector[i]!);
  const norm = Math.hypot(...sum);
  if (!(norm > 0)) throw new Problem(400, "aesthetic_weight: the query and the score cancel each other out");
  return sum.map((value) => value / norm);
}
