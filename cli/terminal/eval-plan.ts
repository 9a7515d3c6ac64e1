/** What an evaluation would do. */
import type { PromptSummary } from "../../lib/eval/evaluation.ts";
import type { EvaluationPlan, RemainingWork } from "../../lib/eval/plan.ts";
import { printable } from "./format.ts";
import { layOutFields } from "./table.ts";

/** @param withoutModel why the work that is left is not known */
export function dryRunLines(plan: EvaluationPlan, withoutModel: string | null): string[] {
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
      ...remainingFields(plan, withoutModel),
    ]),
  ];
}

function remainingFields(
  { remaining, images, differentTexts }: EvaluationPlan,
  why: string | null,
): [string, string][] {
  if (remaining === null) return [["  time", `unknown without a model (${printable(why ?? "")})`]];
  return [
    ["  embedded", `${images - remaining.images} images, ${differentTexts - remaining.texts} texts`],
    ["  left", describe(remaining)],
  ];
}

function describe({ images, texts, seconds }: RemainingWork): string {
  const time = images + texts === 0 ? "" : `, ${roughDuration(seconds)}`;
  return `${images} images, ${texts} texts${time}`;
}

/** What all evaluations together have left; nothing for one, or without a model. */
export function totalLines(plans: readonly EvaluationPlan[]): string[] {
  const all = plans.flatMap(({ remaining }) => (remaining === null ? [] : [remaining]));
  if (all.length < 2) return [];
  const sum = (key: keyof RemainingWork): number => all.reduce((total, left) => total + left[key], 0);
  return [`all: left ${describe({ images: sum("images"), texts: sum("texts"), seconds: sum("seconds") })}`];
}

/** "less than a minute", "about 12 minutes", "about 25 hours". */
export function roughDuration(seconds: number): string {
  if (seconds < 60) return "less than a minute";
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `about ${minutes} ${minutes === 1 ? "minute" : "minutes"}`;
  return `about ${Math.round(minutes / 60)} hours`;
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
