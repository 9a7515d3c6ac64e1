/** Loading the image tower's weights from a file that the system keeps in memory, against reading their bytes. */
import { openWeights } from "../../lib/node/models/model-directory.ts";
import type { Contender } from "../contender.ts";
import { startOurs, stopAll, type Field } from "../field.ts";
import type { Row, Table } from "../table.ts";

const repeats = 3;

export async function measureLoad(field: Field, directories: readonly string[]): Promise<Table[]> {
  const rows: Row[] = [];
  for (const directory of directories) {
    const store = await openWeights(directory);
    const tensors = [...store.tensors].filter(([name]) => name.startsWith("visual."));
    const bytes = tensors.reduce((sum, [, { size }]) => sum + size, 0);
    await store.close();
    const contenders = await startOurs(field, directory);
    try {
      for (const contender of contenders.filter((one) => one.answers("load"))) {
        field.note(`load: ${contender.name}`);
        rows.push({ dtype: tensors[0]![1].dtype, gigabytes: bytes / 1e9, ...(await load(contender)) });
      }
    } finally {
      await stopAll(contenders);
    }
  }
  return [
    {
      id: "load",
      title: "loading the image tower's weights, the file cached",
      columns: [
        { key: "contender", title: "program" },
        { key: "dtype", title: "file" },
        { key: "gigabytes", title: "GB" },
        { key: "reading", title: "reading, s" },
        { key: "loading", title: "loading, s" },
        { key: "ratio", title: "× reading" },
      ],
      rows,
    },
  ];
}

/** The fastest of both; the contender reads and loads in turn. */
async function load(contender: Contender): Promise<Row> {
  let [reading, loading] = [Infinity, Infinity];
  for (let i = 0; i < repeats; i++) {
    const reply = await contender.ask({ kind: "load" });
    reading = Math.min(reading, reply.reading!);
    loading = Math.min(loading, reply.seconds);
  }
  return { contender: contender.name, reading, loading, ratio: loading / reading };
}
