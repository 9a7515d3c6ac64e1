/** Both towers by batch size and text length: latency, throughput, and the share of the machine's matrix product rate. */
import { countFlops } from "../../lib/clip/flops.ts";
import { captions, stretched } from "../captions.ts";
import type { Participant } from "../participant.ts";
import {
  matrixSize,
  onnxRuntimes,
  pytorch,
  startOurs,
  startPeers,
  stopAll,
  type Context,
  type Peer,
} from "../context.ts";
import { rowsOf, type Reply, type Request } from "../peers/protocol.ts";
import { inTurn, type Runner } from "../rounds.ts";
import type { Column, Row, Table } from "../table.ts";
import { farthest } from "../distance.ts";

/** Batch sizes of texts, and their tokens. */
const lengths = [
  [1, 16],
  [1, 77],
  [32, 16],
  [32, 32],
  [32, 77],
] as const;

interface Case {
  readonly batch: number;
  readonly tokens: number;
  readonly request: Request;
  /** Operations of the whole batch. */
  readonly flops: number;
}

export async function measureTowers(context: Context): Promise<Table[]> {
  const image = [pytorch(context), ...(await onnxRuntimes(context))];
  return [
    await measureTower(context, "image", imageCases(context), image),
    await measureTower(context, "text", await textCases(context), [pytorch(context)]),
  ];
}

function imageCases({ model: { config }, options }: Context): Case[] {
  const [height, width] = config.vision.imageSize;
  const [patchHeight, patchWidth] = config.vision.patchSize;
  const tokens = 1 + Math.floor(height / patchHeight) * Math.floor(width / patchWidth);
  const { image } = countFlops(config);
  return options.batch.map((batch) => ({
    batch,
    tokens,
    request: { kind: "image", batch },
    flops: batch * image,
  }));
}

async function textCases(context: Context): Promise<Case[]> {
  const { config } = context.model;
  const natural = await captions(context, Math.max(...lengths.map(([batch]) => batch)));
  return lengths.map(([batch, longest]) => {
    const tokens = Math.min(longest, config.text.contextLength);
    const rows = natural.slice(0, batch).map(({ ids }) => stretched(ids, tokens));
    const { text } = countFlops(config, { textLength: tokens });
    return {
      batch,
      tokens,
      request: { kind: "text", rows, batchSize: batch, padTo: tokens },
      flops: batch * text,
    };
  });
}

async function measureTower(
  context: Context,
  tower: "image" | "text",
  cases: readonly Case[],
  peers: readonly Peer[],
): Promise<Table> {
  context.showStatus(`${tower} tower: starting`);
  const participants: Participant[] = [];
  try {
    participants.push(...(await startOurs(context, context.model.path)));
    participants.push(...(await startPeers(context, peers)));
    const rows = await measureCases(context, participants, cases);
    return { id: tower, title: `${tower} tower`, columns, rows, legend };
  } finally {
    await stopAll(participants);
  }
}

async function measureCases(
  { options, showStatus }: Context,
  participants: readonly Participant[],
  cases: readonly Case[],
): Promise<Row[]> {
  // The first pass also loads the weights.
  for (const participant of participants) {
    showStatus(`loading ${participant.name}`);
    await participant.ask(cases[0]!.request);
  }
  const rows: Row[] = [];
  const slow = new Set<Participant>();
  for (const [which, { batch, tokens, request, flops }] of cases.entries()) {
    showStatus(`${request.kind} tower: batch ${batch}, ${tokens} tokens`);
    const fit = participants.filter((participant) => !slow.has(participant));
    const runners = fit.flatMap((one) => [
      runner(one, { kind: "matrix", size: matrixSize }),
      runner(one, request),
    ]);
    const measured = await inTurn(runners, { ...options, atLeast: 2 });
    const products = measured.filter((_, at) => at % 2 === 0);
    const passes = measured.filter((_, at) => at % 2 === 1);
    const rate = (2 * matrixSize ** 3) / Math.min(...products.map(({ seconds }) => seconds));
    for (const [at, { seconds, median, runs, reply }] of passes.entries()) {
      const isFirst = at === 0;
      rows.push({
        program: fit[at]!.name,
        batch,
        tokens,
        milliseconds: 1000 * seconds,
        median: 1000 * median,
        perSecond: batch / seconds,
        gflops: flops / seconds / 1e9,
        share: (100 * flops) / seconds / rate,
        matrix: (2 * matrixSize ** 3) / products[at]!.seconds / 1e9,
        ratio: isFirst ? null : seconds / passes[0]!.seconds,
        difference: isFirst ? null : farthest(rowsOf(reply, batch), rowsOf(passes[0]!.reply, batch)),
        runs,
      });
      // A participant that would exceed the limit by far skips the next cases. The first one, the baseline, never does.
      const next = cases[which + 1]?.flops ?? 0;
      if (!isFirst && (seconds * next) / flops > 2 * options.limit) slow.add(fit[at]!);
    }
  }
  return rows;
}

const columns: readonly Column[] = [
  { key: "program", title: "program" },
  { key: "batch", title: "batch" },
  { key: "tokens", title: "tokens" },
  { key: "milliseconds", title: "ms" },
  { key: "median", title: "median" },
  { key: "perSecond", title: "per s" },
  { key: "gflops", title: "GFLOP/s" },
  { key: "share", title: "% rate" },
  { key: "matrix", title: "matMul" },
  { key: "ratio", title: "time ×" },
  { key: "difference", title: "difference" },
  { key: "runs", title: "runs" },
];

const legend =
  "ms: the fastest run; median: the median run, in ms; per s: images or texts; " +
  "% rate: share of the fastest matrix product that any program reached in the same rounds; " +
  `matMul: GFLOP/s of the program's own product of two ${matrixSize} × ${matrixSize} matrices; ` +
  "time ×: time divided by the first row's; difference: relative L2 between the embeddings and the first row's";

function runner(participant: Participant, request: Request): Runner<Reply> {
  return { name: participant.name, run: () => participant.ask(request) };
}
