/** `clipscope eval`: CLIP_benchmark's evaluation. */
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Dataset } from "../../lib/eval/dataset.ts";
import {
  compareWithPublished,
  decisive,
  type Comparison,
  type PublishedFigure,
} from "../../lib/eval/published.ts";
import { EvaluationPlanner, type EvaluationPlan } from "../../lib/eval/plan.ts";
import { hasOneLanguage } from "../../lib/eval/languages.ts";
import type { ResultRecord } from "../../lib/eval/record.ts";
import { evaluationHost } from "../../lib/node/eval/host.ts";
import { publishedFigures } from "../../lib/node/eval/published-figures.ts";
import { describeModel, runEvaluation, type Finished, type RunOptions } from "../../lib/node/eval/run.ts";
import { addEvalOptions, type EvalOptions } from "../options/eval-options.ts";
import { assertOneFile, readRequest, readSettings, settingsFor } from "../options/eval-requests.ts";
import { expandSpecs, type Spec } from "../options/expand-specs.ts";
import { examples } from "../options/option-values.ts";
import { loadModelOf, withModel } from "../options/with-model.ts";
import { dryRunLines, totalLines } from "../terminal/eval-plan.ts";
import { evaluationLines } from "../terminal/eval-table.ts";
import { printable } from "../terminal/format.ts";
import type { ShowProgress } from "../terminal/progress-line.ts";
import type { Terminal } from "../terminal/terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const command = program
    .command("eval")
    .description(
      "Evaluate the model as LAION's CLIP_benchmark does: zero-shot classification, retrieval, selection of captions.\n" +
        "A dataset is one of CLIP_benchmark's names or collections, a file with a name per line, or a folder: a " +
        "WebDataset, a folder per class, or another layout that CLIP_benchmark reads.\n" +
        "Embeddings of images and texts are kept: other languages and later runs use them, and an interrupted run " +
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
  const settings = await readSettings(options);
  assertOneFile(specs, settings.saveClassifier);
  if (options.dryRun === true) {
    await dryRun(specs, settings, options, terminal);
    return;
  }
  const figures = await publishedFigures(options.compare);
  const records: ResultRecord[] = [];
  terminal.endsWithReader = options.out === undefined;
  await withModel(options, terminal, async (clip) => {
    const model = await describeModel(clip);
    await forEach(specs, terminal, async (spec) => {
      const request = await readRequest(spec, options, terminal);
      warnOfLanguage(request.dataset, spec, settings, terminal);
      const finished = await terminal.progress((show) =>
        runEvaluation(model, request, { ...settingsFor(spec, settings), ...progressOf(show) }),
      );
      for (const { reason } of finished.evaluation.failed) terminal.report(new InputError(reason));
      records.push(finished.record);
      const comparisons = compare(finished, figures, options);
      if (decisive(comparisons).some(({ verdict }) => verdict === "differs")) terminal.fail();
      if (options.json !== true) terminal.printLines(evaluationLines(finished, comparisons, terminal));
    });
  });
  if (options.json === true) terminal.printJson(records);
}

/** A result in Italian with English prompts would be compared with published figures of Italian ones. */
function warnOfLanguage(
  dataset: Dataset,
  { language }: Spec,
  { prompts = {} }: RunOptions,
  terminal: Terminal,
): void {
  if (language === "en" || !hasOneLanguage(dataset, prompts)) return;
  const hasClasses = dataset.kind === "classification" || dataset.kind === "multilabel";
  const way = hasClasses ? "give --classnames and --templates to translate them" : "leave the option out";
  terminal.warn(
    `${printable(dataset.name)}: --language ${printable(language)} only names the result, as the texts are the dataset's own; ${way}`,
  );
}

/** A dataset with an error is reported; the others are evaluated all the same. */
async function forEach(
  specs: readonly Spec[],
  terminal: Terminal,
  use: (spec: Spec) => Promise<void>,
): Promise<void> {
  for (const spec of specs) {
    try {
      await use(spec);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      terminal.report(error);
    }
  }
}

function progressOf(show: ShowProgress): Pick<RunOptions, "onImages" | "onTexts"> {
  return {
    onImages: (done, total, before) => {
      show({ done, total, before, unit: "images" });
    },
    onTexts: (done, total, before) => {
      show({ done, total, before, unit: "texts" });
    },
  };
}

/** Partial results are not compared. */
function compare(
  { record, evaluation: { images, isPartial } }: Finished,
  figures: readonly PublishedFigure[],
  { tolerance }: EvalOptions,
): Comparison[] {
  if (isPartial) return [];
  return compareWithPublished(record, figures, {
    images,
    ...(tolerance === undefined ? {} : { tolerance }),
  });
}

async function dryRun(
  specs: readonly Spec[],
  settings: RunOptions,
  options: EvalOptions,
  terminal: Terminal,
): Promise<void> {
  const plans: EvaluationPlan[] = [];
  await withModelIfAny(options, terminal, async (model, withoutModel) => {
    const planner = new EvaluationPlanner(evaluationHost, model);
    await forEach(specs, terminal, async (spec) => {
      const { dataset, probe } = await readRequest(spec, options, terminal);
      warnOfLanguage(dataset, spec, settings, terminal);
      const plan = await planner.plan(dataset, {
        ...settingsFor(spec, settings),
        ...(probe && { probe: [probe.train, ...(probe.validation === null ? [] : [probe.validation])] }),
      });
      plans.push(plan);
      if (options.json !== true) terminal.printLines(dryRunLines(plan, withoutModel));
    });
  });
  if (options.json === true) terminal.printJson(plans);
  else terminal.printLines(totalLines(plans));
}

/** A dry run works without a model, too. @param use receives null and the reason if there is none */
async function withModelIfAny(
  options: EvalOptions,
  terminal: Terminal,
  use: (model: Clip | null, why: string | null) => Promise<void>,
): Promise<void> {
  const loaded = await loadModelOf(options, terminal).catch((error: unknown) => {
    if (error instanceof InputError) return error;
    throw error;
  });
  if (loaded instanceof InputError) await use(null, loaded.message);
  else
    await withModel(
      options,
      terminal,
      (model) => use(model, null),
      () => Promise.resolve(loaded),
    );
}
