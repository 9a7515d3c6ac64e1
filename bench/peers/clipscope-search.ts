/**
 * The participant clipscope, in search.
 *
 *     node clipscope-search.js INDEX KERNEL THREADS
 */
import { openIndex } from "../../lib/node/retrieval/open-index.ts";
import { scanKernel, type KernelChoice } from "../../lib/node/retrieval/scan/scan-kernel.ts";
import { timed } from "../rounds.ts";
import { nodeHost } from "../../lib/node/host.ts";
import { decodeRows, type Reply, type SearchRequest } from "./protocol.ts";
import { serve } from "./serve.ts";

const [folder = "", kernel = "auto", threads = "0"] = process.argv.slice(2);
const started = performance.now();
// One thread is this one.
const index = await openIndex(folder, {
  kernel: kernel as KernelChoice,
  threads: threads === "1" ? 0 : Number(threads),
});
const scanner = await index.queries.scanner("image");
const opening = (performance.now() - started) / 1000;

/** As many candidates as a query for this many results takes. */
const candidates = (top: number): number => 4 * top + 32;

async function search({ queries, count, top, what }: SearchRequest): Promise<Reply> {
  const vectors = decodeRows(queries, count);
  if (what === "batch") return timed(() => scanner.search(vectors, { k: candidates(top) }, null));
  const ids: number[][] = [];
  let fastest = Infinity;
  for (const vector of vectors) {
    const { seconds } = await timed(async () => {
      if (what === "scan") await scanner.search([vector], { k: candidates(top) }, null);
      else ids.push((await index.queries.rank(vector, { top })).map(({ id }) => id));
    });
    fastest = Math.min(fastest, seconds);
  }
  return { seconds: fastest, ids };
}

const { name } = scanKernel(kernel as KernelChoice);
await serve(
  { name: `clipscope, ${name}`, version: nodeHost.madeBy },
  {
    search,
    memory: () => Promise.resolve({ seconds: 0, peak: 1024 * process.resourceUsage().maxRSS }),
    open: () => Promise.resolve({ seconds: opening }),
  },
);
await index.close();
