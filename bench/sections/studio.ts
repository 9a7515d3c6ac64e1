/** What the studio's server adds to a pass: the same passes in one process, with and without it. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { ask } from "../../spec/support/studio-calls.ts";
import type { Context } from "../context.ts";
import { inTurn, timed } from "../rounds.ts";
import type { Started, Task } from "../studio-child.ts";
import type { Row, Table } from "../table.ts";

const child = fileURLToPath(new URL("../studio-child.js", import.meta.url));

export async function measureStudio(context: Context): Promise<Table[]> {
  const rows: Row[] = [];
  for (const backend of context.options.backend) {
    context.showStatus(`studio: ${backend}`);
    const program = fork(child, [context.model.path, backend]);
    try {
      rows.push(await measure(context, program));
    } finally {
      program.disconnect();
      await once(program, "exit");
    }
  }
  return [
    {
      id: "studio",
      title: "one image's pass in the studio's server",
      columns: [
        { key: "program", title: "program" },
        { key: "plain", title: "no taps, s" },
        { key: "summaries", title: "summaries, s" },
        { key: "server", title: "server, s" },
        { key: "added", title: "% added", digits: 2 },
      ],
      rows,
      legend:
        "from the file of an image to its embedding; summaries: of every tap; server: the same over HTTP, with all values " +
        "written to disk; % added: server beyond summaries",
    },
  ];
}

async function measure({ options, programs }: Context, program: ChildProcess): Promise<Row> {
  const [{ url, backend }] = (await once(program, "message")) as [Started];
  const name = `clipscope, ${backend}`;
  programs.set(name, backend);
  const bytes = await readFile(`${demoModel}/samples/three-brown-stars.png`);
  const local = async (summaries: boolean): Promise<{ seconds: number }> => {
    const task: Task = { bytes: bytes.toString("base64"), summaries };
    program.send(task);
    const [seconds] = (await once(program, "message")) as [number];
    return { seconds };
  };
  let count = 0;
  // A new key each time: the server keeps passes.
  const served = (): Promise<{ seconds: number }> =>
    timed(() => ask(url, "image", { key: `${count++}`, name: "image", bytes }));
  await local(true); // loads the weights
  const [plain, summaries, server] = await inTurn(
    [
      { name: "plain", run: () => local(false) },
      { name: "summaries", run: () => local(true) },
      { name: "server", run: served },
    ],
    { repeats: options.repeats, limit: options.limit, atLeast: 2 },
  );
  return {
    program: name,
    plain: plain!.seconds,
    summaries: summaries!.seconds,
    server: server!.seconds,
    added: 100 * (server!.seconds / summaries!.seconds - 1),
  };
}
