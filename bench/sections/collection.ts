/** Commands over all rows of an index of ViT-H/14's width: their time and peak memory, each a process of its own. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import type { Context } from "../context.ts";
import { packageRoot } from "../result.ts";
import { writeCollections } from "../scan-collection.ts";
import { removeAtExit } from "../scratch.ts";
import { SyntheticEmbeddings } from "../synthetic-embeddings.ts";
import type { Row, Table } from "../table.ts";
import { nodeProcess } from "../whole-process.ts";

const width = 1024;
const rows = 100_000;
const program = join(packageRoot, "bin/clipscope.js");

const commands: Readonly<Record<string, (folder: string) => readonly string[]>> = {
  "score, similarity to a row": (folder) => ["score", folder, "--id", "0", "--as", "similar"],
  "dedup, threshold 0.94": (folder) => ["dedup", folder, "--threshold", "0.94"],
  "cluster, 1,000 clusters, 20 rounds at most": (folder) => ["cluster", folder, "--clusters", "1000"],
};

export async function measureCollection({ options, showStatus }: Context): Promise<Table[]> {
  const parent = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(parent);
  await startNodeBackend(options.backend[0]);
  const embeddings = new SyntheticEmbeddings(width, 18);
  const [collection] = await writeCollections({
    folder: parent,
    width,
    rowsPerPartition: rows,
    partitions: 1,
    queries: { image: await embeddings.queries("image", 1), text: await embeddings.queries("text", 1) },
    embeddings,
    onProgress: (share) => {
      showStatus(`collection: writing vectors, ${(100 * share).toFixed(0)} %`);
    },
  });
  embeddings.dispose();
  const measured: Row[] = Object.entries(commands).map(([command, argsFor]) => {
    showStatus(`collection: ${command}`);
    const { seconds, peak } = nodeProcess(program, "index", ...argsFor(collection!.folder));
    return { command, seconds, megabytes: peak / 1e6 };
  });
  return [
    {
      id: "collection",
      title: `index commands over ${rows.toLocaleString("en")} rows of ${width} numbers`,
      columns: [
        { key: "command", title: "clipscope index" },
        { key: "seconds", title: "s", digits: 3 },
        { key: "megabytes", title: "MB", digits: 3 },
      ],
      rows: measured,
      legend: "one process each, start included; MB: its peak",
    },
  ];
}
