/** The generated datasets, evaluated on the demo model and compared with CLIP_benchmark's results. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Clip } from "../../lib/clip/clip.ts";
import type { ResultRecord } from "../../lib/eval/record.ts";
import { readDataset } from "../../lib/node/eval/evaluate.ts";
import { readPromptFiles } from "../../lib/node/eval/prompt-files.ts";
import { describeModel, runEvaluation, type EvaluatedModel, type Finished } from "../../lib/node/eval/run.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { writeDatasets } from "../../tools/datasets/write-datasets.ts";
import { fixture } from "../support/paths.ts";

/** A result of CLIP_benchmark, and the name of its file. */
export interface GoldenResult {
  readonly file: string;
  readonly record: ResultRecord;
  /** The same with the first of equal scores first, if that changes figures: PyTorch leaves their order undefined. */
  readonly first: ResultRecord | null;
}

/** The results on datasets of `count` images: see tools/golden/generated_datasets.py. */
export function goldenResults(count: number): readonly GoldenResult[] {
  const folder = fixture(`eval/generated/${count}`);
  const read = (file: string): ResultRecord => {
    // CLIP_benchmark writes NaN for acc5 of four classes.
    const json = readFileSync(join(folder, file), "utf8").replace(/\bNaN\b/g, "null");
    return JSON.parse(json) as ResultRecord;
  };
  const differing = new Set(readdirSync(join(folder, "first")));
  return readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .map((file) => ({
      file,
      record: read(file),
      first: differing.has(file) ? read(join("first", file)) : null,
    }));
}

/** The datasets, a folder for the embeddings of their images, and the demo model. */
export class GeneratedDatasets {
  readonly #root: string;
  readonly model: Clip;
  readonly #described: EvaluatedModel;

  private constructor(root: string, model: Clip, described: EvaluatedModel) {
    this.#root = root;
    this.model = model;
    this.#described = described;
  }

  static async write(count: number): Promise<GeneratedDatasets> {
    const root = mkdtempSync(join(tmpdir(), "clipscope-"));
    await writeDatasets({ out: join(root, "data"), count, seed: 1 });
    const model = await loadModel();
    return new GeneratedDatasets(root, model, await describeModel(model));
  }

  async delete(): Promise<void> {
    await this.model.dispose();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** A path in the folder of the datasets. */
  data(...parts: readonly string[]): string {
    return join(this.#root, "data", ...parts);
  }

  /** A path beside them. */
  file(...parts: readonly string[]): string {
    return join(this.#root, ...parts);
  }

  /** Evaluates the dataset of a result, and compares file name, keys and figures. */
  async compare({ file, record: theirs, first }: GoldenResult): Promise<void> {
    const { dataset } = theirs;
    const finished = await this.#run(dataset, theirs.language);
    const { metrics, ...ours } = finished.record;
    assert.equal(basename(finished.file!), file);
    assert.deepEqual(Object.keys(finished.record), Object.keys(theirs));
    assert.deepEqual({ ...ours, metrics: theirs.metrics }, theirs);
    assert.deepEqual(Object.keys(metrics), Object.keys(theirs.metrics));
    assert.equal(finished.evaluation.isPartial, false);
    for (const [name, expected] of Object.entries(theirs.metrics)) {
      const found = metrics[name]!;
      if (name === "mean_average_precision") {
        assert.ok(
          Math.abs(Number(found) - Number(expected)) <= 1e-6,
          `${file}: ${found}, expected ${expected}`,
        );
      } else if (first === null) assert.equal(found, expected, `${file}: ${name}`);
      else {
        assert.equal(found, first.metrics[name], `${file}: ${name}, the first of equal scores first`);
        const { ties, images } = finished.evaluation;
        assert.ok(ties > 0, file);
        assert.ok(Math.abs(Number(found) - Number(expected)) <= ties / images, `${file}: ${name}`);
      }
    }
  }

  async #run(name: string, language: string): Promise<Finished> {
    const dataset = await readDataset(name, { data: this.data(), language });
    const isPrompted = dataset.kind !== "retrieval" && dataset.kind !== "selection";
    const ofLanguage = (file: string): string => this.data("prompts", `${language}_${file}.json`);
    // WebDatasets have English prompts of their own.
    const prompts =
      isPrompted && !(name.startsWith("wds/") && language === "en")
        ? {
            classNames: ofLanguage("classnames"),
            templates: ofLanguage("zeroshot_classification_templates"),
          }
        : {};
    return runEvaluation(
      this.#described,
      { dataset },
      {
        language,
        recallK: [1, 5, 10],
        features: this.file("features"),
        out: this.file("results"),
        prompts: await readPromptFiles(prompts),
      },
    );
  }
}
