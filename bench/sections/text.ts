/** Captions of natural length, compared with captions that fill the context, to which open_clip pads every text. */
import { captions, meanLength, stretched } from "../captions.ts";
import type { Participant } from "../participant.ts";
import { farthest } from "../distance.ts";
import { pytorch, startOurs, startPeers, stopAll, type Context } from "../context.ts";
import { rowsOf, type TextRequest } from "../peers/protocol.ts";
import { inTurn } from "../rounds.ts";
import type { Row, Table } from "../table.ts";

const count = 256;
/** Captions that also run stretched to the whole context. */
const stretchedCount = 64;
const batchSize = 32;

export async function measureText(context: Context): Promise<Table[]> {
  const { config } = context.model;
  const natural = await captions(context, count);
  const request: TextRequest = {
    kind: "text",
    rows: natural.map(({ ids }) => ids),
    batchSize,
    padTo: config.text.contextLength,
  };
  const rows = request.rows.slice(0, stretchedCount).map((ids) => stretched(ids, config.text.contextLength));
  const long: TextRequest = { ...request, rows };
  const participants: Participant[] = [];
  try {
    participants.push(...(await startOurs(context, context.model.path)));
    const ours = participants.length;
    participants.push(...(await startPeers(context, [pytorch(context)])));
    const runs = participants.flatMap((participant, at): Run[] =>
      at < ours
        ? [
            { participant, length: "natural", padding: "longest of the batch", ask: request },
            { participant, length: "stretched", padding: "none", ask: long },
          ]
        : [{ participant, length: "natural", padding: "context length", ask: request }],
    );
    return [await measure(context, runs, meanLength(natural))];
  } finally {
    await stopAll(participants);
  }
}

interface Run {
  readonly participant: Participant;
  readonly length: "natural" | "stretched";
  readonly padding: string;
  readonly ask: TextRequest;
}

async function measure({ options, showStatus }: Context, runs: readonly Run[], mean: number): Promise<Table> {
  for (const { participant, ask } of runs) {
    showStatus(`text: loading ${participant.name}`);
    await participant.ask({ ...ask, rows: ask.rows.slice(0, 1) });
  }
  showStatus("text: captions");
  const measured = await inTurn(
    runs.map(({ participant, ask }) => ({ name: participant.name, run: () => participant.ask(ask) })),
    { ...options, atLeast: 1 },
  );
  const [first] = measured;
  const perSecond = measured.map(({ seconds }, at) => runs[at]!.ask.rows.length / seconds);
  const rows = measured.map(({ seconds, reply, runs: times }, at): Row => {
    const { participant, length, padding, ask } = runs[at]!;
    // Stretched captions are different texts.
    const isSame = at > 0 && ask.rows.length === count;
    const difference = isSame ? farthest(rowsOf(reply, count), rowsOf(first!.reply, count)) : null;
    return {
      program: participant.name,
      length,
      padding,
      texts: ask.rows.length,
      seconds,
      perSecond: perSecond[at]!,
      ratio: at === 0 ? null : perSecond[0]! / perSecond[at]!,
      difference,
      runs: times,
    };
  });
  return {
    id: "captions",
    title: `captions of ${mean.toFixed(1)} tokens on average, batches of ${batchSize}`,
    columns: [
      { key: "program", title: "program" },
      { key: "length", title: "captions" },
      { key: "padding", title: "padded to" },
      { key: "texts", title: "texts" },
      { key: "seconds", title: "s" },
      { key: "perSecond", title: "texts/s" },
      { key: "ratio", title: "slower by ×" },
      { key: "difference", title: "difference" },
      { key: "runs", title: "runs" },
    ],
    rows,
    legend:
      "slower by ×: the first row's texts/s divided by the row's; difference: the largest relative L2 between a text's embedding and the first row's",
  };
}
