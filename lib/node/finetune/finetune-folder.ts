/**
 * The folder of a fine-tuning run: its result, settings.json, results.jsonl, steps.jsonl and loss.svg. What an unfinished
 * run needs to continue is below `run`, which is removed at the end.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";
import { exists } from "../files/exists.ts";
import { JsonLines } from "../files/json-lines.ts";
import { makeFolder } from "../files/make-folder.ts";
import { lockOrRefuse } from "../files/reserve-output.ts";
import { writeWhole } from "../files/write-file.ts";

/** A step, as steps.jsonl holds it. */
export interface FinetuneStep {
  /** From 1, over all epochs. */
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
}

/** An epoch, as results.jsonl holds it; 0 is the start. */
export interface EpochResult {
  readonly epoch: number;
  /** The mean over the epoch's steps. */
  readonly train_loss?: number;
  readonly val_acc1?: number;
  readonly val_loss?: number;
}

export class FinetuneFolder {
  readonly path: string;
  readonly steps: JsonLines<FinetuneStep>;
  readonly results: JsonLines<EpochResult>;
  readonly #unfinished: string;
  readonly #release: () => Promise<void>;

  private constructor(path: string, release: () => Promise<void>) {
    this.path = path;
    this.steps = new JsonLines(join(path, "steps.jsonl"));
    this.results = new JsonLines(join(path, "results.jsonl"));
    this.#unfinished = join(path, "run");
    this.#release = release;
  }

  /** Creates a run's folder, or opens that of an interrupted one. Another process is refused until `close`. */
  static async open(path: string): Promise<FinetuneFolder> {
    await makeFolder(path);
    return new FinetuneFolder(path, await lockOrRefuse(path, path));
  }

  get state(): string {
    return join(this.#unfinished, "state.safetensors");
  }

  get best(): string {
    return join(this.#unfinished, "best.safetensors");
  }

  streams(split: "train" | "validation"): string {
    return join(this.#unfinished, `${split}-streams.safetensors`);
  }

  /**
   * Begins a run, or continues one.
   *
   * @param settings everything that its weights depend on
   * @throws InputError if the folder holds a run with other settings, or a finished one
   */
  async begin(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const path = join(this.path, "settings.json");
    if (await exists(path)) {
      const old = JsonValue.parse(await readFile(path), path).object();
      const titles = new Set([...Object.keys(old), ...Object.keys(settings)]);
      const different = [...titles].filter(
        (title) => JSON.stringify(old[title]) !== JSON.stringify(settings[title]),
      );
      if (different.length > 0) {
        throw new InputError(
          `${this.path}: holds a run with other settings (${different.join(", ")}); repeat the command that started it, or choose another --out`,
        );
      }
      if (!(await exists(this.#unfinished))) {
        throw new InputError(`${this.path}: holds a finished run; choose another --out, or delete it`);
      }
    }
    await makeFolder(this.#unfinished);
    await writeWhole(path, [new TextEncoder().encode(`${JSON.stringify(settings, null, 2)}\n`)]);
  }

  /** Removes what is recorded of steps and epochs after the state that a run continues from. */
  async rewind(step: number, epoch: number): Promise<void> {
    await this.steps.keep((line) => line.step <= step);
    await this.results.keep((line) => line.epoch <= epoch && epoch > 0);
  }

  /** Removes what an unfinished run needs. */
  async finish(): Promise<void> {
    await rm(this.#unfinished, { recursive: true, force: true });
  }

  close(): Promise<void> {
    return this.#release();
  }
}
