/** `clipscope serve`: texts of one client and of 16 at once, and a minute of load, over an index of random vectors. */
import { mkdtemp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { encodeNpy } from "../../lib/tensor/npy.ts";
import { load, serveProcess, type Load, type ServeProcess } from "../../spec/support/serve-load.ts";
import { naturalCaptions } from "../captions.ts";
import type { Context } from "../context.ts";
import { inTurn, type Runner } from "../rounds.ts";
import { removeAtExit } from "../scratch.ts";
import type { Row, Table } from "../table.ts";

const rows = 100_000;
const clients = 16;
const requestsPerRound = 64;
const loadSeconds = 60;

/** Before memory is compared: buffers and compiled code grow at first. */
const warmUpSeconds = 10;

export async function measureServing(context: Context): Promise<Table[]> {
  const { options, model, programs, showStatus } = context;
  const folder = await randomIndex(model.config.embedDim);
  const name = basename(folder);
  const speed: Row[] = [];
  const endurance: Row[] = [];
  for (const backend of options.backend) {
    const { name: started, description } = await startNodeBackend(backend);
    const program = `clipscope, ${started}`;
    programs.set(program, description);
    const server = await serveProcess(folder, "--model", model.path, "--backend", started, "--cache", "1000");
    try {
      showStatus(`serve on ${started}`);
      const texts = queries(name);
      const runners: Runner<Load>[] = [1, clients].map((count) => ({
        name: `${count}`,
        run: () => load({ url: server.url, clients: count, requests: requestsPerRound, body: texts }),
      }));
      await load({ url: server.url, clients, requests: requestsPerRound, body: texts });
      const measured = await inTurn(runners, { ...options, atLeast: 2 });
      for (const [at, { seconds, reply }] of measured.entries()) {
        speed.push({
          program,
          clients: [1, clients][at]!,
          perSecond: reply.requests / seconds,
          median: reply.milliseconds[reply.requests >> 1]!,
          ratio: at === 0 ? null : measured[0]!.seconds / seconds,
        });
      }
      showStatus(`serve on ${started}: a minute of load`);
      endurance.push({ program, ...(await endure(server, texts)) });
    } finally {
      await server.stop();
    }
  }
  return [
    {
      id: "serve",
      title: `clipscope serve, texts that are not cached, ${rows.toLocaleString("en")} rows of ${model.config.embedDim} numbers`,
      columns: [
        { key: "program", title: "program" },
        { key: "clients", title: "clients" },
        { key: "perSecond", title: "requests/s" },
        { key: "median", title: "median, ms" },
        { key: "ratio", title: "× one client" },
      ],
      rows: speed,
    },
    {
      id: "serve-load",
      title: `clipscope serve, ${clients} clients for ${loadSeconds} s`,
      columns: [
        { key: "program", title: "program" },
        { key: "requests", title: "requests" },
        { key: "errors", title: "errors" },
        { key: "median", title: "median, ms" },
        { key: "slow", title: "99 %, ms" },
        { key: "before", title: "RSS before, MB", digits: 4 },
        { key: "after", title: "RSS after, MB", digits: 4 },
      ],
      rows: endurance,
      legend: `RSS before: after ${warmUpSeconds} s of the same load`,
    },
  ];
}

async function endure(server: ServeProcess, body: (n: number) => object): Promise<Row> {
  const { url } = server;
  await load({ url, clients, seconds: warmUpSeconds, body });
  const before = await server.memory();
  const { requests, errors, milliseconds } = await load({ url, clients, seconds: loadSeconds, body });
  return {
    requests,
    errors: errors.length,
    median: milliseconds[requests >> 1]!,
    slow: milliseconds[Math.floor(0.99 * requests)]!,
    before: before / 1e6,
    after: (await server.memory()) / 1e6,
  };
}

/** Requests whose texts differ from all others. */
function queries(index: string): () => object {
  const texts = naturalCaptions("xlm-roberta").map(({ text }) => text);
  let n = 0;
  return () => {
    const text = `${texts[n % texts.length]!} ${n++}`;
    return { text, modality: "image", num_images: 40, indice_name: index };
  };
}

/** A folder in clip-retrieval's layout. @returns its path */
async function randomIndex(width: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "clipscope-bench-serve-"));
  removeAtExit(folder);
  await mkdir(join(folder, "img_emb"));
  const values = new Float32Array(rows * width);
  let state = 1;
  for (let row = 0; row < rows; row++) {
    const vector = values.subarray(row * width, (row + 1) * width);
    for (let i = 0; i < width; i++) {
      // Numerical Recipes' generator: only the directions matter, and that runs are alike.
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      vector[i] = state / 2 ** 32 - 0.5;
    }
    const norm = Math.hypot(...vector);
    for (let i = 0; i < width; i++) vector[i]! /= norm;
  }
  await writeFile(join(folder, "img_emb", "img_emb_0.npy"), encodeNpy([rows, width], values));
  return folder;
}
