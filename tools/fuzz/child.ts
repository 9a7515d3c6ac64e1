/** The process that runs inputs. The parent (fuzz.ts) watches it: a crash or an input that never ends is a finding too. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Campaign, watchStrayErrors } from "./campaign.ts";
import { Coverage, startCoverage } from "./coverage.ts";
import { CurrentInput, type Job, type Message } from "./messages.ts";
import { createTarget } from "./targets.ts";

const reportEvery = 500;

function send(message: Message): void {
  process.send!(message);
}

async function work(job: Job): Promise<void> {
  const start = Date.now();
  watchStrayErrors();
  const session = await startCoverage();
  const current = new CurrentInput(job.folder);
  const target = await createTarget(job.target, job.folder);
  if (target.usesCoverage === false) session.disconnect();
  const corpus = job.corpus === null ? null : join(job.corpus, job.target);
  const campaign = new Campaign(job.target, target, {
    seed: job.seed,
    coverage: target.usesCoverage === false ? null : new Coverage(session),
    corpus: corpus === null ? [] : readInputs(corpus),
    onInput: (input) => {
      current.write(input);
    },
    onFinding: ({ text, details, input }) => {
      send({ kind: "finding", text, details, input: Buffer.from(input).toString("base64") });
    },
    onNew: (input) => {
      if (corpus === null) return;
      const digest = createHash("sha1").update(input).digest("hex");
      writeFileSync(join(corpus, digest.slice(0, 16)), input);
    },
  });
  if (job.replay === null) await fuzz(campaign, start, job);
  else {
    const { isFailure, text, details } = await campaign.judge(new Uint8Array(readFileSync(job.replay)));
    send({ kind: "verdict", isFailure, text, details });
  }
  await target.close?.();
  current.close();
  send({ kind: "done" });
}

async function fuzz(campaign: Campaign, start: number, { time, inputs }: Job): Promise<void> {
  const most = inputs ?? Infinity;
  const deadline = start + time;
  while (Date.now() < deadline && campaign.inputs < most) {
    await campaign.runUntil(Math.min(deadline, Date.now() + reportEvery), most);
    const { inputs: done, kept, digest } = campaign;
    send({ kind: "progress", progress: { inputs: done, kept, milliseconds: Date.now() - start, digest } });
  }
}

/** The inputs of earlier runs, in an order that does not depend on when they were found. */
function readInputs(folder: string): Uint8Array[] {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder).sort();
  return files.map((file) => new Uint8Array(readFileSync(join(folder, file))));
}

process.on("message", (job: Job) => {
  work(job).then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error);
      process.exit(3);
    },
  );
});
