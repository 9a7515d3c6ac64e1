/** Both towers by precision of their products: time, memory of the image tower, distance from float32. */
import { captions } from "../captions.ts";
import {
  onnxRuntimeInt8,
  pytorch,
  startOurs,
  startPeers,
  stopAll,
  type Context,
  type Peer,
} from "../context.ts";
import { farthest } from "../distance.ts";
import type { Participant } from "../participant.ts";
import { rowsOf, type Request } from "../peers/protocol.ts";
import { inTurn } from "../rounds.ts";
import type { Row, Table } from "../table.ts";
import { precisions } from "../../lib/tensor/precision.ts";

const texts = 32;
const megabyte = 1e6;

interface Case {
  readonly what: string;
  readonly count: number;
  readonly request: Request;
}

export async function measurePrecision(context: Context): Promise<Table[]> {
  const natural = await captions(context, texts);
  const padTo = Math.max(...natural.map(({ ids }) => ids.length));
  const cases: Case[] = [
    ...context.options.batch.map((batch): Case => ({
      what: "images",
      count: batch,
      request: { kind: "image", batch },
    })),
    {
      what: "texts of natural length",
      count: texts,
      request: { kind: "text", rows: natural.map(({ ids }) => ids), batchSize: texts, padTo },
    },
  ];
  const peers: Peer[] = [pytorch(context), pytorch(context, "bf16"), ...(await onnxRuntimeInt8(context))];
  const participants: Participant[] = [];
  try {
    for (const precision of precisions) {
      participants.push(...(await startOurs(context, context.model.path, "resident", precision)));
    }
    participants.push(...(await startPeers(context, peers)));
    const memory = await loadAll(context, participants);
    return [await measure(context, participants, cases), memoryTable(memory)];
  } finally {
    await stopAll(participants);
  }
}

/** Runs a first image, which loads the image tower. @returns what that added to the peak memory */
async function loadAll(
  { showStatus }: Context,
  participants: readonly Participant[],
): Promise<{ readonly program: string; readonly bytes: number }[]> {
  const added = [];
  for (const participant of participants) {
    showStatus(`precision: loading ${participant.name}`);
    const hasMemory = participant.answers("memory");
    if (hasMemory) await participant.ask({ kind: "matrix", size: 256 }); // initialises the backend
    const before = hasMemory ? (await participant.ask({ kind: "memory" })).peak! : 0;
    await participant.ask({ kind: "image", batch: 1 });
    if (!hasMemory) continue;
    const after = (await participant.ask({ kind: "memory" })).peak!;
    added.push({ program: participant.name, bytes: after - before });
  }
  return added;
}

async function measure(
  { options, showStatus }: Context,
  participants: readonly Participant[],
  cases: readonly Case[],
): Promise<Table> {
  const rows: Row[] = [];
  for (const { what, count, request } of cases) {
    showStatus(`precision: ${count} ${what}`);
    const able = participants.filter((participant) => participant.answers(request.kind));
    for (const participant of able) await participant.ask(request);
    const measured = await inTurn(
      able.map((participant) => ({ name: participant.name, run: () => participant.ask(request) })),
      { ...options, atLeast: 2 },
    );
    const [first] = measured;
    for (const [at, { seconds, median, runs, reply }] of measured.entries()) {
      rows.push({
        program: able[at]!.name,
        what,
        count,
        milliseconds: 1000 * seconds,
        median: 1000 * median,
        speed: first!.seconds / seconds,
        difference: at === 0 ? null : farthest(rowsOf(reply, count), rowsOf(first!.reply, count)),
        runs,
      });
    }
  }
  return {
    id: "precision",
    title: "towers by precision",
    columns: [
      { key: "program", title: "program" },
      { key: "what", title: "input" },
      { key: "count", title: "batch" },
      { key: "milliseconds", title: "ms" },
      { key: "median", title: "median" },
      { key: "speed", title: "speed ×" },
      { key: "difference", title: "difference" },
      { key: "runs", title: "runs" },
    ],
    rows,
    legend:
      "ms: the fastest run; speed ×: the first row's time divided by the row's; " +
      "difference: the largest relative L2 between an embedding and the first row's",
  };
}

function memoryTable(added: readonly { readonly program: string; readonly bytes: number }[]): Table {
  return {
    id: "precision-memory",
    title: "image tower: memory by precision",
    columns: [
      { key: "program", title: "program" },
      { key: "megabytes", title: "MB" },
      { key: "share", title: "× float32" },
    ],
    rows: added.map(({ program, bytes }) => ({
      program,
      megabytes: bytes / megabyte,
      share: bytes / added[0]!.bytes,
    })),
    legend:
      "MB: how far a first image raised the peak of the process: the weights, and one image's activations",
  };
}
