/** Memory of the image tower with resident and with streamed weights, each in its own process. */
import { fittingResidency } from "../../lib/node/models/load-model.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import { elementCount } from "../../lib/tensor/dtype.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import type { Participant } from "../participant.ts";
import { startOurs, stopAll, type Context } from "../context.ts";
import { inTurn } from "../rounds.ts";
import type { Row, Table } from "../table.ts";

const batch = 16;
const megabyte = 1e6;

export async function measureMemory(context: Context, directories: readonly string[]): Promise<Table[]> {
  const rows: Row[] = [];
  for (const [at, directory] of directories.entries()) {
    const store = await openWeights(directory);
    // The dtype of the file does not matter to a large batch, so only the first model runs one.
    rows.push(...(await measureFile(context, directory, store, at === 0)));
    await store.close();
  }
  return [
    {
      id: "memory",
      title: "image tower: memory, and the time that streaming costs",
      columns: [
        { key: "program", title: "program" },
        { key: "dtype", title: "file" },
        { key: "residency", title: "weights" },
        { key: "idle", title: "idle MB" },
        { key: "above", title: "batch 1" },
        { key: "over", title: "% over" },
        { key: "aboveLarge", title: `batch ${batch}` },
        { key: "seconds", title: "s" },
        { key: "ratio", title: "× resident" },
      ],
      rows,
      legend:
        `idle: peak MB of the process before its first image; batch 1, batch ${batch}: how far the peak rose above it; ` +
        "% over: batch 1 beyond the size of the weights in float32; " +
        `s: one pass of batch ${batch}; × resident: that time divided by the time with resident weights`,
    },
  ];
}

interface Case {
  readonly participant: Participant;
  readonly residency: Residency;
  readonly idle: number;
  readonly peak: number;
}

async function measureFile(
  context: Context,
  directory: string,
  store: TensorStore,
  isTimed: boolean,
): Promise<Row[]> {
  const weights = imageWeights(store);
  const cases: Case[] = [];
  try {
    for (const residency of ["resident", "streamed"] as const) {
      context.showStatus(`memory: ${residency}`);
      for (const participant of await startOurs(context, directory, residency)) {
        const backend = participant.name.split(", ")[1]!;
        if (residency === "resident" && fittingResidency(store, backend) === "streamed") {
          await participant.stop();
          continue;
        }
        await participant.ask({ kind: "matrix", size: 256 }); // initialises the backend
        const idle = await peakOf(participant);
        await participant.ask({ kind: "image", batch: 1 });
        cases.push({ participant, residency, idle, peak: await peakOf(participant) });
      }
    }
    const isLarge = isTimed && cases.length > 1;
    if (isLarge) context.showStatus(`memory: batch ${batch}`);
    const large = isLarge ? await inTurn(cases.map(largeBatch), { ...context.options, atLeast: 1 }) : [];
    const peaks = isLarge ? await Promise.all(cases.map(({ participant }) => peakOf(participant))) : [];
    return cases.map(({ participant, residency, idle, peak }, at) => {
      const resident = cases.findIndex((one) => one.participant.name === participant.name);
      return {
        program: participant.name,
        dtype: store.tensors.get("visual.proj")!.dtype,
        residency,
        idle: idle / megabyte,
        above: (peak - idle) / megabyte,
        over: residency === "resident" ? 100 * ((peak - idle) / weights - 1) : null,
        aboveLarge: isLarge ? (peaks[at]! - idle) / megabyte : null,
        seconds: large[at]?.seconds ?? null,
        ratio: isLarge && resident !== at ? large[at]!.seconds / large[resident]!.seconds : null,
      };
    });
  } finally {
    await stopAll(cases.map(({ participant }) => participant));
  }
}

function largeBatch({ participant }: Case): { name: string; run: () => Promise<{ seconds: number }> } {
  return { name: participant.name, run: () => participant.ask({ kind: "image", batch }) };
}

async function peakOf(participant: Participant): Promise<number> {
  return (await participant.ask({ kind: "memory" })).peak!;
}

/** Bytes of the image tower's weights in float32. */
function imageWeights({ tensors }: TensorStore): number {
  let bytes = 0;
  for (const [name, { shape }] of tensors) if (name.startsWith("visual.")) bytes += 4 * elementCount(shape);
  return bytes;
}
