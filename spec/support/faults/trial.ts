/** Runs a scenario's command in fresh folders: undisturbed, with failing calls, or in a process that is killed. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import { threadCount } from "../../../lib/node/backends/threads.ts";
import { clipscope, type Circumstances, type ProcessResult, type Result } from "../cli.ts";
import { clearedHubVariables, withEnvironment } from "../environment.ts";
import { packageRoot } from "../paths.ts";
import { aroundFileCalls, type FileCall } from "./file-calls.ts";
import type { ProcessFault } from "./preload.ts";
import type { Scenario } from "./scenarios.ts";
import { differences, snapshot, type Snapshot } from "./snapshot.ts";

/** Where an undisturbed run changes files. */
export interface Point {
  readonly at: number;
  readonly name: string;
  readonly path: string;
  readonly hasHalf: boolean;
}

interface ProcessOptions {
  /** Kill it this long after its first call, in milliseconds. */
  readonly random?: number | undefined;
  /** Close the pipe of its standard output. */
  readonly closesOutput?: boolean;
}

export class Trials {
  readonly scenario: Scenario;
  readonly #room: string;
  readonly #template: string;
  readonly before: Snapshot;
  /** After an undisturbed run. */
  readonly after: Snapshot;
  readonly points: readonly Point[];

  private constructor(
    scenario: Scenario,
    room: string,
    template: string,
    after: Snapshot,
    points: readonly Point[],
  ) {
    this.scenario = scenario;
    this.#room = room;
    this.#template = template;
    this.before = snapshot(template);
    this.after = after;
    this.points = points;
  }

  /** @param room a folder for temporary files */
  static async create(scenario: Scenario, room: string): Promise<Trials> {
    const template = mkdtempSync(join(room, "template-"));
    await scenario.prepare(template);
    const empty = new Trials(scenario, room, template, new Map(), []);
    return empty.inFolder(async (folder) => {
      const points: Point[] = [];
      const result = await empty.disturbed(folder, ({ name, paths, proceed, half }) => {
        const path = paths.at(-1)!.slice(folder.length + 1);
        points.push({ at: points.length + 1, name, path, hasHalf: half !== null });
        return proceed();
      });
      if (result.status !== 0) throw new Error(`${scenario.name}: ${result.stderr}`);
      return new Trials(scenario, room, template, snapshot(folder), points);
    });
  }

  /** Calls `use` with a new folder in the state before the command. */
  async inFolder<T>(use: (folder: string) => T | Promise<T>): Promise<T> {
    // Always the same length, because some outputs contain paths.
    const folder = mkdtempSync(join(this.#room, "trial-"));
    try {
      cpSync(this.#template, folder, { recursive: true, verbatimSymlinks: true });
      return await use(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Runs the command in this process. */
  async run(folder: string, around?: Circumstances): Promise<Result> {
    const { args, env } = this.scenario;
    return withEnvironment(env?.(folder) ?? {}, () => clipscope(args(folder), around));
  }

  /** Runs the command in this process, with each of its calls replaced. */
  async disturbed(folder: string, around: (call: FileCall) => unknown): Promise<Result> {
    const restore = await aroundFileCalls(folder, around);
    try {
      return await this.run(folder);
    } finally {
      restore();
    }
  }

  /** Runs the command in another process. */
  async process(
    folder: string,
    fault: Omit<ProcessFault, "folder">,
    { random, closesOutput = false }: ProcessOptions = {},
  ): Promise<ProcessResult> {
    const { args, env } = this.scenario;
    const preload = `${packageRoot}dist/spec/support/faults/preload.js`;
    const hub = Object.fromEntries(Object.keys(clearedHubVariables).map((name) => [name, undefined]));
    const child = spawn(
      process.execPath,
      ["--import", preload, `${packageRoot}bin/clipscope.js`, ...args(folder)],
      {
        env: {
          ...process.env,
          ...hub,
          ...env?.(folder),
          // The outputs of some commands name the number of threads, which this process has.
          CLIPSCOPE_THREADS: `${threadCount()}`,
          CLIPSCOPE_FAULT: JSON.stringify({ folder, ...fault }),
        },
        stdio: ["ignore", "pipe", "pipe", "pipe"],
      },
    );
    if (closesOutput) child.stdout!.destroy();
    let [stdout, stderr] = ["", ""];
    child.stdout!.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const announcement = child.stdio[3] as Readable;
    announcement.on("data", () => {
      if (random !== undefined) void sleep(random).then(() => child.kill("SIGKILL"));
    });
    const [status, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return { status, signal, stdout, stderr };
  }

  /** What is wrong with the content of a folder after a kill or an error: a file that is neither old nor new. */
  broken(found: Snapshot): string[] {
    const { before, after, scenario } = this;
    if (scenario.isAtomic === true) return this.#brokenFolder(found);
    const paths = new Set([...before.keys(), ...after.keys()]);
    return [...paths].filter((path) => {
      const content = found.get(path);
      if (content === before.get(path) || content === after.get(path)) return false;
      return content === undefined || scenario.isComplete?.(content) !== true;
    });
  }

  #brokenFolder(found: Snapshot): string[] {
    const under = (of: Snapshot, name: string): Snapshot =>
      new Map(
        [...of].flatMap(([path, content]) =>
          path.startsWith(`${name}/`) ? [[path.slice(name.length), content]] : [],
        ),
      );
    const isSame = (name: string, of: Snapshot): boolean => {
      const expected = under(of, "model");
      return expected.size > 0 && differences(under(found, name), expected).length === 0;
    };
    const { before, after } = this;
    const hadModel = before.has("model");
    if (found.has("model")) return isSame("model", after) || isSame("model", before) ? [] : ["model"];
    if (!hadModel) return [];
    // Between two renames, both are complete, and the next run finishes.
    const [replaced] = [...found.keys()].filter((path) => /^model\.replaced-\w{6}$/.test(path));
    if (replaced === undefined) return ["model and model.replaced- are missing"];
    const partial = replaced.replace(".replaced-", ".partial-");
    return isSame(replaced, before) && isSame(partial, after) ? [] : [replaced, partial];
  }

  /** How a folder differs from what an undisturbed run leaves. */
  wrong(folder: string): string[] {
    return differences(snapshot(folder), this.after);
  }

  /** Runs the command again, which must give what an undisturbed run gives. @returns what is wrong */
  async rerun(folder: string): Promise<string[]> {
    // A conversion that was killed after its last rename is done, and its repetition is refused.
    const isDone = this.scenario.name === "convert" && snapshot(folder).has("model");
    const { status, stderr } = await this.run(folder);
    const problems = this.wrong(folder);
    if (isDone ? !/already exists/.test(stderr) : status !== 0) problems.push(`status ${status}: ${stderr}`);
    return problems;
  }

  /** What an error has left behind apart from unfinished work. */
  remains(folder: string): string[] {
    const { before, after, scenario } = this;
    return [...snapshot(folder).keys()].filter(
      (path) => !before.has(path) && !after.has(path) && scenario.unfinished?.test(path) !== true,
    );
  }
}

/** Random numbers in [0, 1) from a seed. Source: https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
