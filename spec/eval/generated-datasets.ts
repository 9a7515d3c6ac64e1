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

const golden = fixture("eval/generated");

/** As for the golden: see tools/golden/generated_datasets.py. */
export const generatedImages = 16;

/** A result of CLIP_benchmark, and the name of its file. */
export interface GoldenResult {
  readonly file: string;
  readonly record: ResultRecord;
}

export const goldenResults: readonly GoldenResult[] = readdirSync(golden).map((file) => {
  // CLIP_benchmark writes NaN for acc5 of four classes.
  const json = readFileSync(join(golden, file), "utf8").replace(/\bNaN\b/g, "null");
  return { file, record: JSON.parse(json) as ResultRecord };
});

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

  static async write(): Promise<GeneratedDatasets> {
    const root = mkdtempSync(join(tmpdir(), "clipscope-"));
    await writeDatasets({ out: join(root, "data"), count: generatedImages, seed: 1 });
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
  async compare({ file, record: theirs }: GoldenResult): Promise<void> {
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
      if (dataset === "wds/backgrounds" && name === "acc1") {
        // Two classes have one name, so each image of it has a tie, which torch.topk orders arbitrarily. The mean recall
        // comes from argmax, which takes the first class as clipscope does.
        assert.ok(finished.evaluation.ties > 0);
      } else if (name === "mean_average_precision") {
        assert.ok(
          Math.abs(Number(found) - Number(expected)) <= 1e-6,
          `${file}: ${found}, expected ${expected}`,
        );
      } else assert.equal(found, expected, `${file}: ${name}`);
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
