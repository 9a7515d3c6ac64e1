/** Evaluations whose results are kept in a folder: those that are finished are not computed again. */
import { join } from "node:path";
import type { Clip } from "../../clip/clip.ts";
import type { Dataset } from "../../eval/dataset.ts";
import { classesOf, evaluate, taskOf, type EvaluateOptions } from "../../eval/evaluate.ts";
import type { Evaluation } from "../../eval/evaluation.ts";
import { evaluationFingerprint, modelDigests } from "../../eval/fingerprint.ts";
import { openClipName } from "../../eval/model-name.ts";
import { resultRecord, type ModelName, type ResultRecord } from "../../eval/record.ts";
import { removeRemains } from "../files/remains.ts";
import { saveClassifier } from "./classifiers.ts";
import { evaluationHost } from "./host.ts";
import { evaluateLinearProbe, type LinearProbeOptions } from "./linear-probe.ts";
import { assertOutsideDataset } from "./outside-dataset.ts";
import { findResult, resultFiles, writeResult, type ResultDetails } from "./results.ts";

/** A model, and what identifies it in results. */
export interface EvaluatedModel {
  readonly model: Clip;
  readonly name: ModelName;
  readonly digests: readonly [image: string, text: string];
}

/** Reads the digests of a model. */
export async function describeModel(model: Clip): Promise<EvaluatedModel> {
  return {
    model,
    name: await openClipName(model.config, evaluationHost.modelName(model.weights.store.name)),
    digests: await modelDigests(model),
  };
}

/** A dataset, and for a linear probe the splits that it is fitted on. */
export interface EvaluationRequest {
  readonly dataset: Dataset;
  readonly probe?: Pick<
    LinearProbeOptions,
    "shots" | "epochs" | "learningRate" | "seed" | "validationProportion"
  > & {
    readonly train: Dataset;
    readonly validation: Dataset | null;
  };
}

/** How results are made and kept. */
export interface RunOptions extends EvaluateOptions {
  /** The folder of results. Default: none is written. */
  readonly out?: string;
  /** Writes the embeddings of the classes to this file, as a probe. */
  readonly saveClassifier?: string;
  readonly dumpClassnames?: boolean;
  readonly dumpTemplates?: boolean;
}

/** A result, of this run or an earlier one. */
export interface Finished {
  readonly record: ResultRecord;
  readonly evaluation: Omit<Evaluation, "decoded" | "texts" | "metrics"> | ResultDetails;
  /** The file of the result; null without a folder. */
  readonly file: string | null;
  /** Whether an earlier run finished it. */
  readonly isEarlier: boolean;
}

/** Evaluates, or finds the finished result of the same evaluation. @throws InputError as `evaluate`, and for an output folder inside the dataset */
export async function runEvaluation(
  { model, name, digests }: EvaluatedModel,
  request: EvaluationRequest,
  options: RunOptions,
): Promise<Finished> {
  const { dataset, probe } = request;
  const { language = "en", out } = options;
  for (const folder of [out, options.features]) assertOutsideDataset(folder, dataset);
  const task = probe === undefined ? taskOf(dataset) : "linear_probe";
  const fingerprint = await fingerprintOf(digests, request, options);
  const dumped = await dumpedPrompts(dataset, options);
  const files =
    out === undefined ? null : resultFiles(out, { ...name, dataset: dataset.name, language, task });
  const earlier = files === null ? null : await findResult(files, fingerprint);
  const { saveClassifier: saved } = options;
  if (
    files !== null &&
    earlier !== null &&
    saved === undefined &&
    Object.keys(dumped).every((key) => key in earlier.record)
  ) {
    const { features } = options;
    const ofImages =
      features === undefined
        ? []
        : [earlier.featuresFile].flatMap((name) => (name === null ? [] : [join(features, name)]));
    for (const file of [files.record, files.details, ...ofImages]) await removeRemains(file);
    return { record: earlier.record, evaluation: earlier, file: files.record, isEarlier: true };
  }
  const evaluation =
    probe === undefined
      ? await evaluate(evaluationHost, model, dataset, {
          ...options,
          ...(saved !== undefined && {
            onClassifier: (classifier, classNames) =>
              saveClassifier(saved, classifier, { classNames, model: name.pretrained }),
          }),
        })
      : await evaluateLinearProbe(model, { ...probe, test: dataset }, { ...options, ...probe });
  const record = resultRecord(evaluation, name, dumped);
  if (files !== null) await writeResult(files, evaluation, record, { fingerprint, digests });
  return { record, evaluation, file: files?.record ?? null, isEarlier: false };
}

async function fingerprintOf(
  digests: readonly string[],
  { dataset, probe }: EvaluationRequest,
  options: RunOptions,
): Promise<string> {
  const of = (one: Dataset, linearProbe?: unknown): Promise<string> =>
    evaluationFingerprint(evaluationHost, digests, one, {
      ...options,
      ...(linearProbe === undefined ? {} : { linearProbe }),
    });
  if (probe === undefined) return of(dataset);
  const { train, validation, ...settings } = probe;
  const splits = [await of(train, {}), validation && (await of(validation, {}))];
  return of(dataset, [settings, ...splits]);
}

/** The class names and templates that are added to a result. */
async function dumpedPrompts(
  dataset: Dataset,
  { dumpClassnames = false, dumpTemplates = false, ...options }: RunOptions,
): Promise<Pick<ResultRecord, "classnames" | "templates">> {
  if (!dumpClassnames && !dumpTemplates) return {};
  const classes = await classesOf(evaluationHost, dataset, options);
  if (classes === null) return {};
  const { classNames, templates } = classes;
  return {
    ...(dumpClassnames ? { classnames: classNames } : {}),
    ...(dumpTemplates
      ? { templates: templates instanceof Map ? Object.fromEntries(templates) : templates }
      : {}),
  };
}
