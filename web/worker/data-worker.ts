/** The worker that reads features files: dropped ones never leave the page, wherever the network runs. */
import { BlobSource } from "../../lib/browser/blob-source.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { principalComponents } from "../../lib/features/principal-components.ts";
import { SearchableFeatures } from "../../lib/features/search-features.ts";
import type { Context } from "../../lib/studio/answer.ts";
import type { DataCalls, FeaturesMap } from "./data-protocol.ts";
import { serveCalls } from "./serve.ts";

/** In bytes. Larger files are read block by block for each search. */
const mostKept = 2 ** 29;

let open: SearchableFeatures | undefined;

serveCalls(async (name, params, context) => {
  switch (name as keyof DataCalls) {
    case "open":
      return openFile(params as DataCalls["open"]["params"]);
    case "search":
      return search(params as DataCalls["search"]["params"], context);
    case "map":
      return map(params as DataCalls["map"]["params"], context);
  }
});

async function openFile({ name, blob }: DataCalls["open"]["params"]): Promise<DataCalls["open"]["result"]> {
  const file = await SearchableFeatures.open(new BlobSource(name, blob));
  const isKept = await file.keep(mostKept);
  open = file;
  const metadata = Object.fromEntries(Object.entries(file.metadata).filter(([key]) => key !== "paths"));
  return { name, rows: file.rows, width: file.width, metadata, isKept };
}

function opened(): SearchableFeatures {
  if (open === undefined) throw new InputError("no features file is open");
  return open;
}

async function search(
  { query, top }: DataCalls["search"]["params"],
  { signal, progress }: Context<unknown>,
): Promise<DataCalls["search"]["result"]> {
  const file = opened();
  const start = performance.now();
  const vector = typeof query === "number" ? await file.row(query) : query;
  const ranked = await file.rank(vector, top, {
    onProgress: (done) => {
      signal.throwIfAborted();
      progress(done, file.rows);
    },
  });
  const found = ranked.map(({ index, similarity }) => ({ row: index, path: file.paths[index]!, similarity }));
  return { found, milliseconds: performance.now() - start };
}

async function map(
  { most }: DataCalls["map"]["params"],
  { signal, progress }: Context<unknown>,
): Promise<FeaturesMap> {
  const file = opened();
  const { width } = file;
  const count = Math.min(file.rows, most);
  const rows = Array.from({ length: count }, (_, i) => Math.floor((i * file.rows) / count));
  const values = new Float32Array(count * width);
  let next = 0;
  for await (const block of file.blocks()) {
    signal.throwIfAborted();
    for (; next < count && rows[next]! < block.start + block.rows; next++) {
      const from = (rows[next]! - block.start) * width;
      values.set(block.values.subarray(from, from + width), next * width);
    }
  }
  const { projections, explained } = await principalComponents(
    { values, rows: count, width },
    Math.min(2, width),
    {
      onIteration: async (done, all) => {
        progress(done, all);
        // Lets a message arrive that gives the work up.
        await new Promise((resolve) => setTimeout(resolve));
        signal.throwIfAborted();
      },
    },
  );
  return { rows, paths: rows.map((row) => file.paths[row]!), places: projections, explained };
}
