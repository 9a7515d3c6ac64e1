/** `clipscope eval`: CLIP_benchmark's evaluation. */
import { join } from "node:path";
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Dataset } from "../../lib/eval/dataset.ts";
import { classesOf, evaluate, taskOf, type EvaluateOptions } from "../../lib/eval/evaluate.ts";
import type { Evaluation } from "../../lib/eval/evaluation.ts";
import { evaluationFingerprint, modelDigests } from "../../lib/eval/fingerprint.ts";
import { openClipName } from "../../lib/eval/model-name.ts";
import {
  compareWithPublished,
  decisive,
  type Comparison,
  type PublishedFigure,
} from "../../lib/eval/published.ts";
import { resultRecord, type ModelName, type ResultRecord } from "../../lib/eval/record.ts";
import { readDataset } from "../../lib/node/eval/evaluate.ts";
import { evaluationHost } from "../../lib/node/eval/host.ts";
import { publishedFigures } from "../../lib/node/eval/published-figures.ts";
import { readPromptFiles } from "../../lib/node/eval/prompt-files.ts";
import { findResult, resultFiles, writeResult, type ResultDetails } from "../../lib/node/eval/results.ts";
import { cacheFolder } from "../../lib/node/native/native-build.ts";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { addEvalOptions, readRecallK, type EvalOptions } from "../options/eval-options.ts";
import { expandSpecs, type Spec } from "../options/expand-specs.ts";
import { examples } from "../options/option-values.ts";
import { withModel } from "../options/with-model.ts";
import { dryRunLines, planEvaluation } from "../terminal/eval-plan.ts";
import { evaluationLines } from "../terminal/eval-table.ts";
import type { Terminal } from "../terminal/terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("eval")
    .description(
      "Evaluate the model as LAION's CLIP_benchmark does: zero-shot classification, retrieval, selection of captions.\n" +
        "A dataset is one of CLIP_benchmark's names or collections, a file with a name per line, or a folder: a\n" +
        "WebDataset, a folder per class, or another layout that CLIP_benchmark reads.\n" +
        "Embeddings of images and texts are kept: other languages and later runs use them, and an interrupted run\n" +
        "continues when started again.",
    )
    .argument(
      "<dataset...>",
      "names, collections (vtab+, retrieval, multilingual, …), folders, or files of names",
    );
  addEvalOptions(command)
    .addHelpText(
      "after",
      examples(
        "clipscope eval my-images/",
        "clipscope eval wds/imagenet1k --data 'data/wds_{dataset_cleaned}' --out results",
        "clipscope eval retrieval --data data --recall-k 1 --recall-k 5 --recall-k 10 --out results",
        "clipscope eval wds/imagenet1k --data data --language it \\",
        "  --classnames it_classnames.json --templates it_zeroshot_classification_templates.json",
        "clipscope eval wds/vtab+ --data data --dry-run",
      ),
    )
    .action(async (given: string[], _options: unknown, self: Command) => {
      await run(given, self.optsWithGlobals(), terminal);
    });
}

async function run(given: readonly string[], options: EvalOptions, terminal: Terminal): Promise<void> {
  const specs = await expandSpecs(given, options.language, terminal.stdin);
  if (options.dryRun === true) {
    await dryRun(specs, options, terminal);
    return;
  }
  const settings = await settingsOf(options);
  const figures = await publishedFigures(options.compare);
  const done: ResultRecord[] = [];
  await withModel(options, terminal, async (model) => {
    const context = await describeModel(model, options);
    for (const spec of specs) {
      try {
        const one = await evaluateOne(context, spec, settings, options, terminal);
        done.push(one.record);
        const comparisons = compare(one, figures, options);
        if (decisive(comparisons).some(({ verdict }) => verdict === "differs")) terminal.fail();
        if (options.json !== true) terminal.printLines(evaluationLines(one, comparisons, terminal));
      } catch (error) {
        // The other datasets are evaluated all the same.
        if (!(error instanceof InputError)) throw error;
        terminal.report(error);
      }
    }
  });
  if (options.json === true) terminal.printJson(done);
}

/** Partial results are not compared. */
function compare(
  { record, evaluation: { images, isPartial } }: Done,
  figures: readonly PublishedFigure[],
  { tolerance }: EvalOptions,
): Comparison[] {
  if (isPartial) return [];
  return compareWithPublished(record, figures, {
    images,
    ...(tolerance === undefined ? {} : { tolerance }),
  });
}

/** A model, and what identifies it in results. */
interface ModelContext {
  readonly model: Clip;
  readonly name: ModelName;
  readonly digests: readonly [image: string, text: string];
  readonly backend: string;
}

/** A result, of this run or an earlier one. */
export interface Done {
  readonly record: ResultRecord;
  readonly evaluation: Omit<Evaluation, "decoded" | "texts" | "metrics"> | ResultDetails;
  /** The file of the result; null without `--out`. */
  readonly file: string | null;
  /** Whether an earlier run finished it. */
  readonly isEarlier: boolean;
}

async function describeModel(model: Clip, { backend }: EvalOptions): Promise<ModelContext> {
  return {
    model,
    name: await openClipName(model.config, evaluationHost.modelName(model.weights.store.name)),
    digests: await modelDigests(model),
    backend: (await startNodeBackend(backend)).name,
  };
}

type Settings = Omit<EvaluateOptions, "language" | "onImages" | "onTexts">;

async function settingsOf(options: EvalOptions): Promise<Settings> {
  const {
    features = join(cacheFolder(), "features"),
    limit,
    batch,
    recallK,
    classnames,
    templates,
  } = options;
  return {
    features,
    prompts: await readPromptFiles({ classNames: classnames, templates }),
    ...(limit === undefined ? {} : { limit }),
    ...(batch === undefined ? {} : { batchSize: batch }),
    ...(recallK === undefined ? {} : { recallK: readRecallK(recallK) }),
  };
}

export function readSpec(
  { dataset, language }: Spec,
  { data, split, annotations }: EvalOptions,
): Promise<Dataset> {
  return readDataset(dataset, {
    language,
    ...(data === undefined ? {} : { data }),
    ...(split === undefined ? {} : { split }),
    ...(annotations === undefined ? {} : { annotations }),
  });
}

async function evaluateOne(
  { model, name, digests, backend }: ModelContext,
  spec: Spec,
  settings: Settings,
  options: EvalOptions,
  terminal: Terminal,
): Promise<Done> {
  const dataset = await readSpec(spec, options);
  const given = { ...settings, language: spec.language };
  const { out } = options;
  const fingerprint = await evaluationFingerprint(evaluationHost, digests, dataset, given);
  const identity = { ...name, dataset: dataset.name, language: spec.language, task: taskOf(dataset) };
  const dumped = await dumpedPrompts(dataset, given, options);
  const files = out === undefined ? null : resultFiles(out, identity);
  const earlier = files === null ? null : await findResult(files, fingerprint);
  if (files !== null && earlier !== null && Object.keys(dumped).every((key) => key in earlier.record)) {
    for (const { reason } of earlier.failed) terminal.report(new InputError(reason));
    return { record: earlier.record, evaluation: earlier, file: files.record, isEarlier: true };
  }
  const evaluation = await terminal.progress((show) =>
    evaluate(evaluationHost, model, dataset, {
      ...given,
      onImages: (finished, total, before) => {
        show({ done: finished, total, before, unit: "images" });
      },
      onTexts: (finished, total, before) => {
        show({ done: finished, total, before, unit: "texts" });
      },
    }),
  );
  for (const { reason } of evaluation.failed) terminal.report(new InputError(reason));
  const record = resultRecord(evaluation, name, dumped);
  if (files === null) return { record, evaluation, file: null, isEarlier: false };
  const [imageTowerSha256, textTowerSha256] = digests;
  await writeResult(files, evaluation, record, {
    fingerprint,
    imageTowerSha256,
    textTowerSha256,
    backend,
  });
  return { record, evaluation, file: files.record, isEarlier: false };
}

/** What `--dump-classnames` and `--dump-templates` add to a result. */
async function dumpedPrompts(
  dataset: Dataset,
  settings: EvaluateOptions,
  { dumpClassnames = false, dumpTemplates = false }: EvalOptions,
): Promise<Pick<ResultRecord, "classnames" | "templates">> {
  if (!dumpClassnames && !dumpTemplates) return {};
  const classes = await classesOf(evaluationHost, dataset, settings);
  if (classes === null) return {};
  const { classNames, templates } = classes;
  return {
    ...(dumpClassnames ? { classnames: classNames } : {}),
    ...(dumpTemplates
      ? { templates: templates instanceof Map ? Object.fromEntries(templates) : templates }
      : {}),
  };
}

async function dryRun(specs: readonly Spec[], options: EvalOptions, terminal: Terminal): Promise<void> {
  const { prompts } = await settingsOf(options);
  const plans: Awaited<ReturnType<typeof planEvaluation>>[] = [];
  for (const spec of specs) {
    try {
      const plan = await planEvaluation(await readSpec(spec, options), spec.language, {
        ...options,
        prompts: prompts!,
      });
      plans.push(plan);
      if (options.json !== true) terminal.printLines(dryRunLines(plan));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      terminal.report(error);
    }
  }
  if (options.json === true) terminal.printJson(plans);
}
