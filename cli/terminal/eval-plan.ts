/** What an evaluation would do, without a model. */
import type { Dataset } from "../../lib/eval/dataset.ts";
import { classesOf, taskOf, type EvaluateOptions } from "../../lib/eval/evaluate.ts";
import type { PromptSummary, TaskName } from "../../lib/eval/evaluation.ts";
import { evaluationHost } from "../../lib/node/eval/host.ts";
import { printable } from "./format.ts";
import { layOutFields } from "./table.ts";

export interface EvaluationPlan {
  readonly dataset: string;
  readonly language: string;
  readonly task: TaskName;
  readonly layout: string;
  readonly split: string | null;
  readonly images: number;
  /** Prompts or captions. */
  readonly texts: number;
  readonly differentTexts: number;
  readonly prompts: PromptSummary | null;
  readonly sources: readonly string[];
}

export async function planEvaluation(
  dataset: Dataset,
  language: string,
  { limit = Infinity, prompts = {} }: Pick<EvaluateOptions, "limit" | "prompts">,
): Promise<EvaluationPlan> {
  const classes = await classesOf(evaluationHost, dataset, { language, prompts });
  const images = Math.min(limit, dataset.images.length);
  const texts = classes?.prompts.flat() ?? captionsOf(dataset, images);
  return {
    dataset: dataset.name,
    language,
    task: taskOf(dataset),
    layout: dataset.layout,
    split: dataset.split,
    images,
    texts: texts.length,
    differentTexts: new Set(texts).size,
    prompts: classes?.summary ?? null,
    sources: dataset.sources,
  };
}

function captionsOf(dataset: Dataset, images: number): readonly string[] {
  if (dataset.kind === "retrieval") return dataset.captions.slice(0, images).flat();
  if (dataset.kind === "selection") return dataset.instances.flatMap(({ captions }) => captions);
  return [];
}

export function dryRunLines(plan: EvaluationPlan): string[] {
  const { prompts, split } = plan;
  const kept = (text: string): string => printable(JSON.stringify(text));
  return [
    `${printable(plan.dataset)} (${plan.language})`,
    ...layOutFields([
      ["  task", plan.task],
      ["  layout", `${plan.layout}${split === null ? "" : `, split ${printable(split)}`}`],
      ["  images", `${plan.images}`],
      ["  texts", `${plan.texts}, ${plan.differentTexts} different`],
      ...(prompts === null
        ? plan.sources.map((file): [string, string] => ["  captions", printable(file)])
        : []),
      ...(prompts === null
        ? []
        : ([
            ["  class names", `${prompts.classes} from ${printable(prompts.sources.classNames)}`],
            [
              "  templates",
              `${printable(prompts.sources.templates)}${prompts.isFallback ? " (no own ones)" : ""}`,
            ],
            ["  first prompts", prompts.first.map(kept).join(", ")],
            ...namesRemarks(prompts),
          ] as [string, string][])),
    ]),
  ];
}

/** Repeated, blank and padded class names, which are legal. */
export function namesRemarks({ names }: PromptSummary): [string, string][] {
  const remarks: [string, string][] = [];
  if (names.repeated.length > 0) {
    const shown = names.repeated.slice(0, 3).map(({ name }) => printable(JSON.stringify(name)));
    const more = names.repeated.length > 3 ? ", …" : "";
    remarks.push(["  repeated", `${names.repeated.length} class names (${shown.join(", ")}${more})`]);
  }
  if (names.blank.length > 0) remarks.push(["  blank", `class ${names.blank.join(", ")}`]);
  if (names.padded.length > 0)
    remarks.push(["  spaces", `around the names of ${names.padded.length} classes`]);
  return remarks;
}
