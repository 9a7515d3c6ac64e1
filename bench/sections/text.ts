/** Captions of natural length, against as many that are as long as the context: what open_clip makes of all texts. */
import { captions, meanLength, stretched } from "../captions.ts";
import type { Contender } from "../contender.ts";
import { farthest } from "../distance.ts";
import { pytorch, startOurs, startPeers, stopAll, type Field } from "../field.ts";
import { rowsOf, type TextRequest } from "../peers/protocol.ts";
import { inTurn } from "../rounds.ts";
import type { Row, Table } from "../table.ts";

const count = 256;
/** Of the captions, drawn out to the whole context. */
const stretchedCount = 64;
const batchSize = 32;

export async function measureText(field: Field): Promise<Table[]> {
  const { config } = field.model;
  const natural = await captions(field, count);
  const request: TextRequest = {
    kind: "text",
    rows: natural.map(({ ids }) => ids),
    batchSize,
    padTo: config.text.contextLength,
  };
  const rows = request.rows.slice(0, stretchedCount).map((ids) => stretched(ids, config.text.contextLength));
  const long: TextRequest = { ...request, rows };
  const contenders: Contender[] = [];
  try {
    contenders.push(...(await startOurs(field, field.model.path)));
    const ours = contenders.length;
    contenders.push(...(await startPeers(field, [pytorch(field)])));
    const runs = contenders.flatMap((contender, at) =>
      at < ours
        ? [
            { contender, what: "as long as they are", ask: request },
            { contender, what: "drawn out to the context", ask: long },
          ]
        : [{ contender, what: "padded to the context", ask: request }],
    );
    return [await measure(field, runs, meanLength(natural))];
  } finally {
    await stopAll(contenders);
  }
}

interface Run {
  readonly contender: Contender;
  readonly what: string;
  readonly ask: TextRequest;
}

async function measure({ options, note }: Field, runs: readonly Run[], mean: number): Promise<Table> {
  for (const { contender, ask } of runs) {
    note(`text: ${contender.name} loads`);
    await contender.ask({ ...ask, rows: ask.rows.slice(0, 1) });
  }
  note("text: captions");
  const measured = await inTurn(
    runs.map(({ contender, ask }) => ({ name: contender.name, run: () => contender.ask(ask) })),
    { ...options, atLeast: 1 },
  );
  const [first] = measured;
  const perSecond = measured.map(({ seconds }, at) => runs[at]!.ask.rows.length / seconds);
  const rows = measured.map(({ seconds, reply, runs: times }, at): Row => {
    const { contender, what, ask } = runs[at]!;
    // Texts that were drawn out are other texts.
    const isSame = at > 0 && ask.rows.length === count;
    const difference = isSame ? farthest(rowsOf(reply, count), rowsOf(first!.reply, count)) : null;
    return {
      contender: contender.name,
      what,
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
    title: `captions of ${mean.toFixed(1)} tokens on average, ${batchSize} together, in turn`,
    columns: [
      { key: "contender", title: "program" },
      { key: "what", title: "captions" },
      { key: "texts", title: "texts" },
      { key: "seconds", title: "s" },
      { key: "perSecond", title: "texts/s" },
      { key: "ratio", title: "first row ×" },
      { key: "difference", title: "difference" },
      { key: "runs", title: "runs" },
    ],
    rows,
    legend:
      "first row ×: how much faster that is, in texts/s; difference: the largest relative L2 of a text's embedding from the first row's",
  };
}
