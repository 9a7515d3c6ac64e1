/** The evaluations that the options of `clipscope eval` describe. */
import { join } from "node:path";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Dataset } from "../../lib/eval/dataset.ts";
import { taskOf } from "../../lib/eval/evaluate.ts";
import { readClassifiers } from "../../lib/node/eval/classifiers.ts";
import { datasetFiles } from "../../lib/node/eval/dataset-files.ts";
import { readDataset } from "../../lib/node/eval/evaluate.ts";
import { readPromptFiles } from "../../lib/node/eval/prompt-files.ts";
import type { EvaluationRequest, RunOptions } from "../../lib/node/eval/run.ts";
import { cacheFolder } from "../../lib/node/native/native-build.ts";
import { megabytes } from "../terminal/progress-line.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { probeOptions, readRecallK, type EvalOptions } from "./eval-options.ts";
import type { Spec } from "./expand-specs.ts";

/** The options that all evaluations share. @throws InputError if a file cannot be read */
export async function readSettings(options: EvalOptions): Promise<RunOptions> {
  await assertFolder(options.data);
  const {
    features = join(cacheFolder(), "features"),
    limit,
    batch,
    recallK,
    classnames,
    templates,
  } = options;
  const { out, dumpClassnames, dumpTemplates, saveClf, loadClfs } = options;
  return {
    features,
    prompts: await readPromptFiles({ classNames: classnames, templates }),
    ...(limit === undefined ? {} : { limit }),
    ...(batch === undefined ? {} : { batchSize: batch }),
    ...(recallK === undefined ? {} : { recallK: readRecallK(recallK) }),
    ...(out === undefined ? {} : { out }),
    ...(saveClf === undefined ? {} : { saveClassifier: saveClf }),
    ...(loadClfs === undefined ? {} : { classifier: await readClassifiers(loadClfs) }),
    ...(dumpClassnames === undefined ? {} : { dumpClassnames }),
    ...(dumpTemplates === undefined ? {} : { dumpTemplates }),
  };
}

/** Otherwise each dataset would have an error of its own. @throws InputError if the folder of the datasets is missing */
async function assertFolder(data: string | undefined): Promise<void> {
  if (data === undefined || data.includes("{") || /^https?:/.test(data)) return;
  const kind = await datasetFiles.kindOf(data);
  if (kind !== "folder") {
    throw new InputError(`--data ${data}: expected a folder, found ${kind === null ? "nothing" : "a file"}`);
  }
}

/** The options of one evaluation. */
export function settingsFor({ dataset, language }: Spec, settings: RunOptions): RunOptions {
  const { saveClassifier } = settings;
  return {
    ...settings,
    language,
    ...(saveClassifier !== undefined && {
      saveClassifier: saveClassifier
        .replaceAll("{dataset}", dataset.replace(/^wds\//, "").replaceAll(/[/\\]/g, "_"))
        .replaceAll("{language}", language),
    }),
  };
}

/** Several evaluations would write one after the other to the same file. @throws InputError */
export function assertOneFile(specs: readonly Spec[], saveClassifier: string | undefined): void {
  if (saveClassifier === undefined) return;
  const files = specs.map((spec) => settingsFor(spec, { saveClassifier }).saveClassifier);
  if (new Set(files).size === files.length) return;
  throw new InputError(
    `--save-clf ${saveClassifier}: expected {dataset} or {language} in the name, as ${specs.length} evaluations write a file`,
  );
}

/** Reads a dataset, and for a linear probe its other splits. @throws InputError for a task that it is not made for */
export async function readRequest(
  spec: Spec,
  options: EvalOptions,
  terminal: Terminal,
): Promise<EvaluationRequest> {
  const { task, trainSplit = "train", valSplit } = options;
  const dataset = await readSplit(spec, options, options.split, terminal);
  if (task === "linear_probe") {
    const train = await readSplit(spec, options, trainSplit, terminal);
    const validation = valSplit === undefined ? null : await readSplit(spec, options, valSplit, terminal);
    return { dataset, probe: { train, validation, ...probeOptions(options) } };
  }
  if (task === "auto" || task === taskOf(dataset)) return { dataset };
  throw new InputError(
    `--task ${task}: ${dataset.name} holds ${dataset.kind}, which is for ${taskOf(dataset)}; leave the option out`,
  );
}

/** Reads a split, after it is downloaded if it is on the hub. */
async function readSplit(
  { dataset, language }: Spec,
  { data, annotations }: EvalOptions,
  split: string | undefined,
  terminal: Terminal,
): Promise<Dataset> {
  const given = {
    language,
    ...(data === undefined ? {} : { data }),
    ...(split === undefined ? {} : { split }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  return terminal.progress((show) =>
    readDataset(dataset, {
      ...given,
      onProgress: (done, before, total) => {
        show(megabytes(done, total, before));
      },
      onWait: (reason) => {
        terminal.note(reason);
      },
    }),
  );
}
