/** Steps of contrastive training with a locked image tower: pairs per second and peak memory, next to open_clip_train. */
import { elementCount } from "../../lib/tensor/dtype.ts";
import { openWeights } from "../../lib/node/models/weights-file.ts";
import { captions, meanLength } from "../captions.ts";
import { openClipTrain, startPeers, startTraining, stopAll, type Context } from "../context.ts";
import type { Participant } from "../participant.ts";
import { inTurn } from "../rounds.ts";
import type { Row, Table } from "../table.ts";

const batch = 64;

/** In parameters. Of a larger model, word embeddings stay fixed, and open_clip would need tens of gigabytes. */
const largeModel = 1e9;

export async function measureTraining(
  context: Context,
  [directory = ""]: readonly string[],
): Promise<Table[]> {
  const { model } = context;
  const texts = await captions(context, batch);
  const rows = texts.map(({ ids }) => ids);
  const store = await openWeights(model.path);
  const parameters = [...store.tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  await store.close();
  const isLarge = parameters > largeModel;
  const tableRows: Row[] = [];
  // One after the other, because each needs gigabytes.
  for (const images of ["features", "pixels"] as const) {
    const participants: Participant[] = [];
    context.showStatus(`train: ${images}`);
    try {
      participants.push(...(await startTraining(context, directory, images, isLarge ? "layers" : "all")));
      participants.push(...(await startPeers(context, isLarge ? [] : [openClipTrain(context)])));
      tableRows.push(...(await measureTogether(context, participants, rows)));
    } finally {
      await stopAll(participants);
    }
  }
  return [
    {
      id: "train",
      title: `training step, ${batch} pairs, image tower locked${isLarge ? ", word embeddings fixed" : ""}`,
      columns: [
        { key: "program", title: "program" },
        { key: "perSecond", title: "pairs/s" },
        { key: "median", title: "median" },
        { key: "ratio", title: "× open_clip" },
        { key: "gigabytes", title: "peak GB" },
        { key: "runs", title: "runs" },
      ],
      rows: tableRows,
      legend:
        "features: of the images, cached; pixels: the image tower runs in each step; " +
        `captions of natural length, ${meanLength(texts).toFixed(0)} tokens on average, which open_clip pads to its context; ` +
        "pairs/s: in the fastest step; × open_clip: by the medians; peak GB: of the whole process",
    },
  ];
}

async function measureTogether(
  { options }: Context,
  participants: readonly Participant[],
  rows: readonly (readonly number[])[],
): Promise<Row[]> {
  // The first step also loads the weights and makes the moments.
  for (const participant of participants) await participant.ask({ kind: "train", rows });
  const runners = participants.map((one) => ({
    name: one.name,
    run: () => one.ask({ kind: "train", rows }),
  }));
  const measured = await inTurn(runners, { ...options, atLeast: 2 });
  const reference = participants.findIndex(({ name }) => name === "open_clip_train");
  const table: Row[] = [];
  for (const [at, { seconds, median, runs }] of measured.entries()) {
    const { peak = NaN } = await participants[at]!.ask({ kind: "memory" });
    table.push({
      program: participants[at]!.name,
      perSecond: batch / seconds,
      median: batch / median,
      ratio: reference === -1 ? null : measured[reference]!.median / median,
      gigabytes: peak / 1e9,
      runs,
    });
  }
  return table;
}
