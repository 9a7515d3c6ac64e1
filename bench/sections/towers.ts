/** Both towers by batch and length: latency, throughput, and how near to the machine's rate of large matrix products. */
import { countFlops } from "../../lib/clip/flops.ts";
import { captions, stretched } from "../captions.ts";
import type { Contender } from "../contender.ts";
import {
  matrixSize,
  onnxRuntimes,
  pytorch,
  startOurs,
  startPeers,
  stopAll,
  type Field,
  type Peer,
} from "../field.ts";
import { rowsOf, type Reply, type Request } from "../peers/protocol.ts";
import { inTurn, type Runner } from "../rounds.ts";
import type { Column, Row, Table } from "../table.ts";
import { farthest } from "../distance.ts";

/** Texts that run together, and their tokens. */
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
  /** Of the whole batch. */
  readonly flops: number;
}

export async function measureTowers(field: Field): Promise<Table[]> {
  const image = [pytorch(field), ...(await onnxRuntimes(field))];
  return [
    await measureTower(field, "image", imageCases(field), image),
    await measureTower(field, "text", await textCases(field), [pytorch(field)]),
  ];
}

function imageCases({ model: { config }, options }: Field): Case[] {
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

async function textCases(field: Field): Promise<Case[]> {
  const { config } = field.model;
  const natural = await captions(field, Math.max(...lengths.map(([batch]) => batch)));
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
  field: Field,
  tower: "image" | "text",
  cases: readonly Case[],
  peers: readonly Peer[],
): Promise<Table> {
  field.note(`${tower} tower: starting`);
  const contenders: Contender[] = [];
  try {
    contenders.push(...(await startOurs(field, field.model.path)));
    contenders.push(...(await startPeers(field, peers)));
    const rows = await measureCases(field, contenders, cases);
    return { id: tower, title: `${tower} tower, in turn`, columns, rows, legend };
  } finally {
    await stopAll(contenders);
  }
}

async function measureCases(
  { options, note }: Field,
  contenders: readonly Contender[],
  cases: readonly Case[],
): Promise<Row[]> {
  // Loads the weights, too.
  for (const contender of contenders) {
    note(`${contender.name} loads`);
    await contender.ask(cases[0]!.request);
  }
  const rows: Row[] = [];
  const slow = new Set<Contender>();
  for (const [which, { batch, tokens, request, flops }] of cases.entries()) {
    note(`${request.kind} tower: batch ${batch}, ${tokens} tokens`);
    const fit = contenders.filter((contender) => !slow.has(contender));
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
        contender: fit[at]!.name,
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
      // Whom the next case would take much longer than the limit sits it out, but for the first, the measure of all.
      const next = cases[which + 1]?.flops ?? 0;
      if (!isFirst && (seconds * next) / flops > 2 * options.limit) slow.add(fit[at]!);
    }
  }
  return rows;
}

const columns: readonly Column[] = [
  { key: "contender", title: "program" },
  { key: "batch", title: "batch" },
  { key: "tokens", title: "tokens" },
  { key: "milliseconds", title: "ms" },
  { key: "median", title: "median" },
  { key: "perSecond", title: "per s" },
  { key: "gflops", title: "GFLOP/s" },
  { key: "share", title: "% rate" },
  { key: "matrix", title: "matMul" },
  { key: "ratio", title: "ours ×" },
  { key: "difference", title: "difference" },
  { key: "runs", title: "runs" },
];

const legend =
  "ms and median of a run; per s: images or texts; % rate: of the fastest matrix product that any of them reached meanwhile; " +
  `matMul: GFLOP/s of its own product of two ${matrixSize} × ${matrixSize} matrices; ours ×: how much faster the first row is; ` +
  "difference: relative L2 of the embeddings from the first row's";

function runner(contender: Contender, request: Request): Runner<Reply> {
  return { name: contender.name, run: () => contender.ask(request) };
}
