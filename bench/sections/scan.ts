/**
 * Exact search in an index of ViT-H/14's width: time and memory of the scan by kernel and threads, recall against products
 * in float64, and how long an index takes to open. Peers are NumPy in float32 and faiss' scalar quantisers.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { nativeScanKernel } from "../../lib/node/retrieval/scan/native-kernel.ts";
import type { KernelChoice } from "../../lib/node/retrieval/scan/scan-kernel.ts";
import { startAll, startPeers, stopAll, type Context, type Peer } from "../context.ts";
import { rowsPerPartition } from "../options.ts";
import { Participant } from "../participant.ts";
import { encodeEmbedding, type Reply, type SearchRequest } from "../peers/protocol.ts";
import { packageRoot } from "../result.ts";
import { inTurn, type Measured } from "../rounds.ts";
import { best, writeCollections, type Collection } from "../scan-collection.ts";
import { removeAtExit } from "../scratch.ts";
import { SyntheticEmbeddings, type QueryKind } from "../synthetic-embeddings.ts";
import type { Row, Table } from "../table.ts";

const width = 1024;
const queriesPerKind = 100;
const timedQueries = 8;
const threadCounts = [1, 2];

type Queries = Readonly<Record<QueryKind, Float32Array>>;

export async function measureScan(context: Context): Promise<Table[]> {
  const { options, showStatus } = context;
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(folder);
  await startNodeBackend(options.backend[0]);
  const embeddings = new SyntheticEmbeddings(width, 18);
  const queries: Queries = {
    image: await embeddings.queries("image", queriesPerKind),
    text: await embeddings.queries("text", queriesPerKind),
  };
  const collections = await writeCollections({
    folder,
    width,
    rowsPerPartition,
    partitions: options.rows / rowsPerPartition,
    queries,
    embeddings,
    onProgress: (share) => {
      showStatus(`scan: writing vectors, ${(100 * share).toFixed(0)} %`);
    },
  });
  embeddings.dispose();
  const search: Row[] = [];
  const opening: Row[] = [];
  for (const collection of collections) {
    opening.push(await measureOpening(context, collection));
    for (const threads of threadCounts)
      search.push(...(await measureSearch(context, collection, threads, queries)));
  }
  return [searchTable(search), openingTable(opening)];
}

function ours(collection: Collection, kernel: KernelChoice, threads: number): Promise<Participant> {
  return Participant.start({
    title: `clipscope, ${kernel}`,
    command: process.execPath,
    args: [
      fileURLToPath(new URL("../peers/clipscope-search.js", import.meta.url)),
      collection.folder,
      kernel,
      String(threads),
    ],
  });
}

function kernels({ warn }: Context): KernelChoice[] {
  if (nativeScanKernel() !== null) return ["wasm", "native"];
  warn('the native kernel of the scan is not measured; run "clipscope native"');
  return ["wasm"];
}

function peers({ options }: Context, { folder }: Collection, threads: number): Peer[] {
  return ["numpy", "SQfp16", "SQ8"].map((engine) => ({
    title: engine,
    command: options.python,
    args: [join(packageRoot, "bench/peers/vector_search.py"), engine, folder, String(threads)],
    remedy: "pip install faiss-cpu numpy, and name that Python with --python",
  }));
}

/** The first opening makes the codes; the next ones read them. */
async function measureOpening(context: Context, collection: Collection): Promise<Row> {
  const row: Record<string, number> = { rows: collection.rows };
  context.showStatus(`scan: making codes of ${collection.rows} rows`);
  for (const key of ["making", ...kernels(context)]) {
    const kernel = key === "making" ? "wasm" : (key as KernelChoice);
    let seconds = Infinity;
    for (let round = 0; round < (key === "making" ? 1 : context.options.repeats); round++) {
      const participant = await ours(collection, kernel, 2);
      seconds = Math.min(seconds, (await participant.ask({ kind: "open" })).seconds);
      row[`${key}Bytes`] = ((await participant.ask({ kind: "memory" })).peak ?? 0) / 1e6;
      await participant.stop();
    }
    row[key] = seconds;
  }
  return row;
}

async function measureSearch(
  context: Context,
  collection: Collection,
  threads: number,
  queries: Queries,
): Promise<Row[]> {
  const { options, programs, showStatus } = context;
  const { rows } = collection;
  showStatus(`scan of ${rows} rows, ${threads} threads`);
  const own = await startAll(
    kernels(context).map((kernel) => () => ours(collection, kernel, threads)),
    programs,
  );
  const others = await startPeers(context, peers(context, collection, threads));
  const all = [...own, ...others];
  try {
    const some = firstQueries(queries, timedQueries / 2);
    const time = async (
      participants: readonly Participant[],
      what: SearchRequest["what"],
    ): Promise<Measured<Reply>[]> =>
      inTurn(
        participants.map((participant) => ({
          name: participant.name,
          run: () => participant.ask({ kind: "search", ...some, top: best, what }),
        })),
        { ...options, atLeast: 2 },
      );
    const scans = await time(own, "scan");
    const single = await time(all, "query");
    const batch = await time(all, "batch");
    const milliseconds = (measured: Measured<Reply> | undefined, of = 1): number | null =>
      measured === undefined ? null : (1000 * measured.seconds) / of;
    const faiss = single[all.findIndex(({ name }) => name === "faiss, SQfp16")];
    const table: Row[] = [];
    for (const [at, participant] of all.entries()) {
      // Threads do not change what is found.
      const found =
        threads === 1 ? await recall(participant, own.includes(participant), collection, queries) : {};
      const { peak = 0 } = await participant.ask({ kind: "memory" });
      table.push({
        rows,
        threads,
        program: participant.name,
        scan: milliseconds(scans[at]),
        query: milliseconds(single[at]),
        median: 1000 * single[at]!.median,
        ratio: faiss === undefined ? null : single[at]!.seconds / faiss.seconds,
        batch: milliseconds(batch[at], timedQueries),
        ...found,
        megabytes: peak / 1e6,
      });
    }
    return table;
  } finally {
    await stopAll(all);
  }
}

function firstQueries({ image, text }: Queries, ofEach: number): { queries: string; count: number } {
  const both = new Float32Array(2 * ofEach * width);
  both.set(image.subarray(0, ofEach * width));
  both.set(text.subarray(0, ofEach * width), ofEach * width);
  return { queries: encodeEmbedding(both), count: 2 * ofEach };
}

/** The share of the best rows of all queries that a participant finds. */
async function recall(
  participant: Participant,
  isOwn: boolean,
  { truth }: Collection,
  queries: Queries,
): Promise<Record<QueryKind, number>> {
  const of = async (kind: QueryKind): Promise<number> => {
    const ids: (readonly number[])[] = [];
    // NumPy keeps the scores of all rows for each query of a batch.
    for (let first = 0; first < queriesPerKind; first += timedQueries) {
      const count = Math.min(timedQueries, queriesPerKind - first);
      const some = encodeEmbedding(queries[kind].subarray(first * width, (first + count) * width));
      const what = isOwn ? "query" : "batch";
      const reply = await participant.ask({ kind: "search", queries: some, count, top: best, what });
      ids.push(...(reply.ids ?? []));
    }
    const found = truth[kind].reduce(
      (sum, rows, i) => sum + rows.filter((id) => ids[i]!.includes(id)).length,
      0,
    );
    return found / (best * queriesPerKind);
  };
  return { image: await of("image"), text: await of("text") };
}

function searchTable(rows: readonly Row[]): Table {
  return {
    id: "scan",
    title: `the ${best} best rows of an index of width ${width}`,
    columns: [
      { key: "rows", title: "rows" },
      { key: "threads", title: "threads" },
      { key: "program", title: "program" },
      { key: "scan", title: "scan ms" },
      { key: "query", title: "query ms" },
      { key: "median", title: "median" },
      { key: "ratio", title: "× SQfp16" },
      { key: "batch", title: `${timedQueries} together, ms each` },
      { key: "image", title: "recall image", digits: 4 },
      { key: "text", title: "recall text", digits: 4 },
      { key: "megabytes", title: "MB" },
    ],
    rows,
    legend:
      "scan: the candidates by int8 codes; query: scan and scores of the candidates with the stored vectors; both of the " +
      `fastest of ${timedQueries} queries in each round; median: of the rounds; ` +
      `together: one scan for ${timedQueries} queries, of clipscope without these scores; faiss divides queries, not rows, among threads; ` +
      `recall: found of the ${best} best rows by products in float64 of the vectors before they were rounded to float16, ` +
      `${queriesPerKind} queries of each kind; MB: peak of the whole process`,
  };
}

function openingTable(rows: readonly Row[]): Table {
  return {
    id: "scan-opening",
    title: `open an index of width ${width}, 2 threads`,
    columns: [
      { key: "rows", title: "rows" },
      { key: "making", title: "first time s" },
      { key: "wasm", title: "wasm s" },
      { key: "wasmBytes", title: "MB" },
      { key: "native", title: "native s" },
      { key: "nativeBytes", title: "MB" },
    ],
    rows,
    legend: "first time: makes the int8 codes; then: reads them; MB: peak of the whole process",
  };
}
