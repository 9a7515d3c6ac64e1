/** Loading the image tower's weights from a cached file, compared with reading their bytes. */
import { openWeights } from "../../lib/node/models/weights-file.ts";
import type { Participant } from "../participant.ts";
import { startOurs, stopAll, type Context } from "../context.ts";
import type { Row, Table } from "../table.ts";

const repeats = 3;

export async function measureLoad(context: Context, directories: readonly string[]): Promise<Table[]> {
  const rows: Row[] = [];
  for (const directory of directories) {
    const store = await openWeights(directory);
    const tensors = [...store.tensors].filter(([name]) => name.startsWith("visual."));
    const bytes = tensors.reduce((sum, [, { size }]) => sum + size, 0);
    await store.close();
    const participants = await startOurs(context, directory);
    try {
      for (const participant of participants.filter((one) => one.answers("load"))) {
        context.showStatus(`load: ${participant.name}`);
        rows.push({ dtype: tensors[0]![1].dtype, gigabytes: bytes / 1e9, ...(await load(participant)) });
      }
    } finally {
      await stopAll(participants);
    }
  }
  return [
    {
      id: "load",
      title: "load the image tower's weights, file cached",
      columns: [
        { key: "program", title: "program" },
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

/** The fastest of several repetitions; the participant reads and loads in each. */
async function load(participant: Participant): Promise<Row> {
  let [reading, loading] = [Infinity, Infinity];
  for (let i = 0; i < repeats; i++) {
    const reply = await participant.ask({ kind: "load" });
    reading = Math.min(reading, reply.reading!);
    loading = Math.min(loading, reply.seconds);
  }
  return { program: participant.name, reading, loading, ratio: loading / reading };
}
