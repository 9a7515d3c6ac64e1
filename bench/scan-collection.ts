/** Writes index folders of synthetic vectors, and finds the best rows of queries exactly. */
import { link, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { matMul, tensor2d } from "@tensorflow/tfjs-core";
import { writeIndexFile } from "../lib/node/retrieval/change-index.ts";
import { vectorsPath } from "../lib/retrieval/layout.ts";
import { TopRows } from "../lib/retrieval/scan/top-rows.ts";
import { encodeNpyHeader } from "../lib/tensor/npy-header.ts";
import { roundFloats } from "../lib/tensor/rounding.ts";
import { SyntheticEmbeddings, type QueryKind } from "./synthetic-embeddings.ts";

/** Rows in memory at once. */
const rowsAtOnce = 2000;

/** Rows that count as found. */
export const best = 10;

export interface Collection {
  readonly folder: string;
  readonly rows: number;
  /** For each query of each kind, the ids of the best rows by products in float64 of the vectors before rounding. */
  readonly truth: Readonly<Record<QueryKind, readonly (readonly number[])[]>>;
}

export interface CollectionOptions {
  readonly folder: string;
  readonly width: number;
  readonly rowsPerPartition: number;
  readonly partitions: number;
  readonly queries: Readonly<Record<QueryKind, Float32Array>>;
  readonly embeddings: SyntheticEmbeddings;
  readonly onProgress: (share: number) => void;
}

/** @returns an index of the first partition alone, if there are several, and one of all partitions */
export async function writeCollections(options: CollectionOptions): Promise<Collection[]> {
  const { folder, width, rowsPerPartition, partitions, embeddings } = options;
  const ranking = new ExactRanking(options.queries, width);
  const collections: Collection[] = [];
  for (let number = 0; number < partitions; number++) {
    const path = join(folder, "all", vectorsPath("image", number));
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "wx");
    await file.write(encodeNpyHeader("<f2", [rowsPerPartition, width]));
    for (let row = 0; row < rowsPerPartition; row += rowsAtOnce) {
      const vectors = await embeddings.images(Math.min(rowsAtOnce, rowsPerPartition - row));
      await ranking.add(vectors, number * rowsPerPartition + row);
      const bytes = new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
      await file.write(roundFloats("F32", "F16", bytes).bytes);
      options.onProgress((number + row / rowsPerPartition) / partitions);
    }
    await file.close();
    if (number === 0 && partitions > 1) {
      const first = join(folder, "first");
      await mkdir(join(first, "img_emb"), { recursive: true });
      await link(path, join(first, vectorsPath("image", 0)));
      collections.push({ folder: first, rows: rowsPerPartition, truth: ranking.best() });
    }
  }
  collections.push({
    folder: join(folder, "all"),
    rows: partitions * rowsPerPartition,
    truth: ranking.best(),
  });
  for (const collection of collections) await writeIndex(collection, width, rowsPerPartition);
  ranking.dispose();
  return collections;
}

async function writeIndex({ folder, rows }: Collection, width: number, perPartition: number): Promise<void> {
  const partitions = Array.from({ length: rows / perPartition }, (_, number) => ({
    number,
    rows: perPartition,
  }));
  await writeIndexFile(folder, {
    generation: 0,
    width,
    origin: {},
    textOrigin: null,
    isAdopted: true,
    columns: [],
    columnSets: [],
    base: folder,
    plans: [],
    partitions,
    next: partitions.length,
  });
}

/** The best rows by products in float64. Products in float32 exclude most rows before. */
class ExactRanking {
  readonly #kinds: readonly QueryKind[];
  readonly #vectors: readonly Float32Array[];
  readonly #found: readonly TopRows[];
  readonly #width: number;
  readonly #queries: ReturnType<typeof tensor2d>;

  constructor(queries: Readonly<Record<QueryKind, Float32Array>>, width: number) {
    const kinds = Object.keys(queries) as QueryKind[];
    const ofKind = kinds.map((kind) =>
      Array.from({ length: queries[kind].length / width }, (_, i) =>
        queries[kind].subarray(i * width, (i + 1) * width),
      ),
    );
    this.#vectors = ofKind.flat();
    this.#kinds = ofKind.flatMap((vectors, i) => vectors.map(() => kinds[i]!));
    this.#found = this.#vectors.map(() => new TopRows(best));
    this.#width = width;
    const all = new Float32Array(this.#vectors.length * width);
    for (const [i, vector] of this.#vectors.entries()) all.set(vector, i * width);
    this.#queries = tensor2d(all, [this.#vectors.length, width]);
  }

  /** @param firstId of these rows */
  async add(rows: Float32Array, firstId: number): Promise<void> {
    const width = this.#width;
    const matrix = tensor2d(rows, [rows.length / width, width]);
    const product = matMul(matrix, this.#queries, false, true);
    const scores = (await product.data()) as Float32Array;
    matrix.dispose();
    product.dispose();
    const count = this.#vectors.length;
    for (const [at, score] of scores.entries()) {
      const query = at % count;
      const found = this.#found[query]!;
      // Far above the error of a product in float32 of vectors of norm 1.
      if (score < found.floor - 1e-5) continue;
      const row = Math.floor(at / count);
      let exact = 0;
      for (let i = 0; i < width; i++) exact += rows[row * width + i]! * this.#vectors[query]![i]!;
      found.add(firstId + row, exact);
    }
  }

  best(): Record<QueryKind, number[][]> {
    const of = (kind: QueryKind): number[][] =>
      this.#found
        .filter((_, query) => this.#kinds[query] === kind)
        .map((found) => found.rows().map(({ id }) => id));
    return { image: of("image"), text: of("text") };
  }

  dispose(): void {
    this.#queries.dispose();
  }
}
