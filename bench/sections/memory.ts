/** Memory of the image tower, its weights resident or streamed, each in a process of its own. */
import { fittingResidency } from "../../lib/node/models/load-model.ts";
import { openWeights } from "../../lib/node/models/model-directory.ts";
import { elementCount } from "../../lib/tensor/dtype.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import type { Contender } from "../contender.ts";
import { startOurs, stopAll, type Field } from "../field.ts";
import { inTurn } from "../rounds.ts";
import type { Row, Table } from "../table.ts";

const batch = 16;
const megabyte = 1e6;

export async function measureMemory(field: Field, directories: readonly string[]): Promise<Table[]> {
  const rows: Row[] = [];
  for (const [at, directory] of directories.entries()) {
    const store = await openWeights(directory);
    // How a file is stored makes no difference to a large batch: the first will do.
    rows.push(...(await measureFile(field, directory, store, at === 0)));
    await store.close();
  }
  return [
    {
      id: "memory",
      title: "image tower: memory, and what streaming costs",
      columns: [
        { key: "contender", title: "program" },
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
        "% over: what that is more than the weights in float32; " +
        `s: a pass of batch ${batch}, in turn; × resident: the same with resident weights`,
    },
  ];
}

interface Case {
  readonly contender: Contender;
  readonly residency: Residency;
  readonly idle: number;
  readonly peak: number;
}

async function measureFile(
  field: Field,
  directory: string,
  store: TensorStore,
  isTimed: boolean,
): Promise<Row[]> {
  const weights = imageWeights(store);
  const cases: Case[] = [];
  try {
    for (const residency of ["resident", "streamed"] as const) {
      field.note(`memory: ${residency}`);
      for (const contender of await startOurs(field, directory, residency)) {
        const backend = contender.name.split(", ")[1]!;
        if (residency === "resident" && fittingResidency(store, backend) === "streamed") {
          await contender.stop();
          continue;
        }
        await contender.ask({ kind: "matrix", size: 256 }); // the backend's own first use
        const idle = await peakOf(contender);
        await contender.ask({ kind: "image", batch: 1 });
        cases.push({ contender, residency, idle, peak: await peakOf(contender) });
      }
    }
    const isLarge = isTimed && cases.length > 1;
    if (isLarge) field.note(`memory: batch ${batch}`);
    const large = isLarge ? await inTurn(cases.map(largeBatch), { ...field.options, atLeast: 1 }) : [];
    const peaks = isLarge ? await Promise.all(cases.map(({ contender }) => peakOf(contender))) : [];
    return cases.map(({ contender, residency, idle, peak }, at) => {
      const resident = cases.findIndex((one) => one.contender.name === contender.name);
      return {
        contender: contender.name,
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
    await stopAll(cases.map(({ contender }) => contender));
  }
}

function largeBatch({ contender }: Case): { name: string; run: () => Promise<{ seconds: number }> } {
  return { name: contender.name, run: () => contender.ask({ kind: "image", batch }) };
}

async function peakOf(contender: Contender): Promise<number> {
  return (await contender.ask({ kind: "memory" })).peak!;
}

/** Bytes of the image tower's weights in float32. */
function imageWeights({ tensors }: TensorStore): number {
  let bytes = 0;
  for (const [name, { shape }] of tensors) if (name.startsWith("visual.")) bytes += 4 * elementCount(shape);
  return bytes;
}
