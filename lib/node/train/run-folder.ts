/**
 * The folder of a run, `LOGS/NAME`, as open_clip lays it out: params.txt, out.log, checkpoints/epoch_N.pt and
 * checkpoints/results.jsonl. Clipscope adds steps.jsonl, with the loss of each step, and loss.svg.
 */
import { appendFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { torchFileParts, type TorchValue } from "../../checkpoint/index.ts";
import { InputError } from "../../errors/input-error.ts";
import { crc32 } from "../files/crc32.ts";
import { exists } from "../files/exists.ts";
import { JsonLines } from "../files/json-lines.ts";
import { makeFolder } from "../files/make-folder.ts";
import { unwritable } from "../files/output-path.ts";
import { lockOrRefuse } from "../files/reserve-output.ts";
import { writeTogether, writeWhole } from "../files/write-file.ts";

/** A training step, as steps.jsonl holds it. */
export interface StepRecord {
  /** From 1, over all epochs. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  /** exp(logit_scale), before the step. */
  readonly scale: number;
}

const latestName = "epoch_latest.pt";

export class RunFolder {
  readonly path: string;
  readonly checkpoints: string;
  readonly #steps: JsonLines<StepRecord>;
  readonly #results: JsonLines<Readonly<Record<string, number>>>;
  readonly #release: () => Promise<void>;

  private constructor(path: string, release: () => Promise<void>) {
    this.path = path;
    this.checkpoints = join(path, "checkpoints");
    this.#steps = new JsonLines(join(path, "steps.jsonl"));
    this.#results = new JsonLines(join(this.checkpoints, "results.jsonl"));
    this.#release = release;
  }

  /**
   * Creates the folder of a run, or opens that of one that continues. Another process is refused until `close`.
   *
   * @throws InputError if it holds a run already, unless that continues
   */
  static async open(path: string, continues: boolean): Promise<RunFolder> {
    await makeFolder(path);
    const folder = new RunFolder(path, await lockOrRefuse(path, path));
    try {
      if (!continues && (await exists(join(path, "out.log")))) {
        throw new InputError(
          `${path}: holds a run already; continue it with --resume latest, or choose another --name`,
        );
      }
      await makeFolder(folder.checkpoints);
      return folder;
    } catch (error) {
      await folder.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#release();
  }

  /** The newest checkpoint; null if there is none. */
  async latest(): Promise<string | null> {
    const names = await readdir(this.checkpoints).catch((): string[] => []);
    const epochs = names.flatMap((name) => {
      const epoch = /^epoch_(\d+)\.pt$/.exec(name)?.[1];
      return epoch === undefined ? [] : [Number(epoch)];
    });
    if (names.includes(latestName)) return join(this.checkpoints, latestName);
    return epochs.length === 0 ? null : this.checkpointPath(Math.max(...epochs));
  }

  checkpointPath(epoch: number): string {
    return join(this.checkpoints, `epoch_${epoch}.pt`);
  }

  /**
   * Writes a checkpoint, whole or not at all.
   *
   * @returns its path @throws InputError if the disk is full, or weights are not finite; older checkpoints stay
   */
  async save(epoch: number | "latest", content: TorchValue): Promise<string> {
    const path = epoch === "latest" ? join(this.checkpoints, latestName) : this.checkpointPath(epoch);
    await writeTogether([path], async ([file]) => {
      for await (const part of torchFileParts(content, crc32)) await file!.write(part);
    });
    return path;
  }

  async deleteCheckpoint(epoch: number): Promise<void> {
    await rm(this.checkpointPath(epoch), { force: true });
  }

  async writeParameters(parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const lines = Object.entries(parameters).map(([name, value]) => `${name}: ${String(value)}\n`);
    await writeWhole(join(this.path, "params.txt"), [new TextEncoder().encode(lines.sort().join(""))]);
  }

  async log(line: string): Promise<void> {
    const path = join(this.path, "out.log");
    const text = `${new Date().toISOString()} | INFO | ${line}\n`;
    await appendFile(path, text).catch((error: unknown) => {
      throw unwritable(path, error);
    });
  }

  async logStep(record: StepRecord): Promise<void> {
    await this.#steps.append(record);
  }

  /** Appends to results.jsonl, under open_clip's names. */
  async logResults(metrics: Readonly<Record<string, number>>): Promise<void> {
    await this.#results.append(metrics);
  }

  steps(): Promise<StepRecord[]> {
    return this.#steps.read();
  }

  /** What `logResults` has written, of all epochs. */
  results(): Promise<Readonly<Record<string, number>>[]> {
    return this.#results.read();
  }

  /** Removes what a run has recorded after the checkpoint that it continues from. */
  async rewind(step: number, epoch: number): Promise<void> {
    await this.#steps.keep((line) => line.step <= step);
    await this.#results.keep((line) => (line["epoch"] ?? 0) <= epoch);
  }
}
