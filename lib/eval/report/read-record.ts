/** Reads CLIP_benchmark's result objects, ours and its own. */
import { JsonValue } from "../../json/json-value.ts";
import type { TaskName } from "../evaluation.ts";
import type { ResultRecord } from "../record.ts";

const tasks = [
  "zeroshot_classification",
  "zeroshot_retrieval",
  "image_caption_selection",
  "linear_probe",
] as const satisfies readonly TaskName[];

/**
 * @param json the content of the file. CLIP_benchmark writes NaN, which JSON does not have: it is read as null
 * @throws InputError for anything else than a result object of a task that is known here
 */
export function readRecord(json: string, file: string): ResultRecord {
  const fix = "expected a result of CLIP_benchmark or clipscope eval";
  const root = JsonValue.parse(withoutNaN(json), file, { fix });
  const metrics = root.at("metrics").entries();
  const classnames = root.at("classnames");
  const templates = root.at("templates");
  return {
    dataset: root.at("dataset").string(),
    model: root.at("model").string(),
    pretrained: root.at("pretrained").string(),
    task: root.at("task").oneOf(...tasks),
    metrics: Object.fromEntries(metrics.map(([name, value]) => [name, figureOf(value)])),
    language: root.at("language").string(),
    ...(classnames.isMissing ? {} : { classnames: classnames.strings() }),
    ...(templates.isMissing ? {} : { templates: templates.value }),
    ...(root.at("partial").or(false).boolean() ? { partial: true } : {}),
  };
}

/** Linear probes have a switch among their figures: `normalized`. */
function figureOf(value: JsonValue): number | boolean | null {
  if (value.isMissing) return null;
  return typeof value.value === "boolean" ? value.value : value.number();
}

/** Replaces NaN outside of strings. */
function withoutNaN(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|\bNaN\b/g, (_, text: string | undefined) => text ?? "null");
}
