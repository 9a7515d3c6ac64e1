/**
 * Published figures of evaluations, and whether ours match them.
 *
 * `assets/eval/published.json` has the figures of the multilingual and the English ViT-H-14. A user's own file has the
 * same format: `{ "sources": { NAME: { "url", "about", "precision", "decimals", "tolerance" } }, "figures": [{ "model",
 * "pretrained", "dataset", "language", "metric", "value", "source": NAME, "decimals"? }] }`.
 */
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";

/** Where figures were published. */
export interface PublishedSource {
  readonly name: string;
  readonly url: string;
  readonly about: string;
  /** What the run computed in: "float32", "float16", "mixed". */
  readonly precision: string;
  /** Decimals of its values, unless a figure has its own. */
  readonly decimals: number;
  /** How far a correct rerun may be away, without the rounding of the values. */
  readonly tolerance: number;
}

/** A published figure. */
export interface PublishedFigure {
  /** open_clip's architecture and tag. */
  readonly model: string;
  readonly pretrained: string;
  /** CLIP_benchmark's name, without `wds/`. */
  readonly dataset: string;
  readonly language: string;
  /** CLIP_benchmark's name. */
  readonly metric: string;
  readonly value: number;
  /** Decimals of the value, as published. */
  readonly decimals: number;
  readonly source: PublishedSource;
}

/** @throws InputError for another format, or a source that is not described */
export function readPublished(json: string | Uint8Array, file: string): PublishedFigure[] {
  const root = JsonValue.parse(json, file);
  const sources = new Map(
    root
      .at("sources")
      .entries()
      .map(([name, source]) => [name, readSource(name, source)]),
  );
  return root
    .at("figures")
    .items()
    .map((figure) => {
      const source = sources.get(figure.at("source").string());
      if (source === undefined) throw figure.at("source").error("one of the sources");
      return {
        model: figure.at("model").string(),
        pretrained: figure.at("pretrained").string(),
        dataset: figure.at("dataset").string(),
        language: figure.at("language").string(),
        metric: figure.at("metric").string(),
        value: figure.at("value").number(),
        decimals: figure.at("decimals").or(source.decimals).integer(0, 16),
        source,
      };
    });
}

function readSource(name: string, source: JsonValue): PublishedSource {
  return {
    name,
    url: source.at("url").or("").string(),
    about: source.at("about").or("").string(),
    precision: source.at("precision").or("").string(),
    decimals: source.at("decimals").integer(0, 16),
    tolerance: source.at("tolerance").number(),
  };
}

/** What is compared: the keys of CLIP_benchmark's result object. */
export interface ComparedResult {
  readonly model: string;
  readonly pretrained: string;
  readonly dataset: string;
  readonly language: string;
  readonly metrics: Readonly<Record<string, number | boolean | null>>;
}

/** A figure beside a published one. */
export interface Comparison {
  readonly metric: string;
  readonly ours: number;
  readonly published: PublishedFigure;
  /** ours − published */
  readonly difference: number;
  /** What the difference may be, with the rounding of the published value. */
  readonly tolerance: number;
  /** "informative": published sources of this dataset contradict each other. */
  readonly verdict: "match" | "differs" | "informative";
}

/** How figures are compared with published ones. */
export interface CompareOptions {
  /** The number of images: of few images, two more or less count as equal. */
  readonly images: number;
  /** Instead of the sources' own tolerances. */
  readonly tolerance?: number;
}

/** Published runs of the same model differ by up to 0.07 here, and the cause is not known. */
const contradictory: ReadonlySet<string> = new Set([
  "vtab/svhn",
  "vtab/clevr_count_all",
  "vtab/clevr_closest_object_distance",
]);

/** The same images, labels and prompts under two names. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["vtab/cifar10", "cifar10"],
  ["vtab/cifar100", "cifar100"],
]);

function canonical(dataset: string): string {
  const name = dataset.replace(/^wds\//, "");
  return aliases.get(name) ?? name;
}

/**
 * Compares the figures of one evaluation with the published ones of the same model, dataset and language.
 *
 * A figure matches if it differs by at most the tolerance (of the source, or 2 of N images if that is more) and half a
 * unit of the published value's last decimal.
 *
 * @returns comparisons in the order of the metrics; several sources in the order of the file, the most precise first
 */
export function compareWithPublished(
  result: ComparedResult,
  figures: readonly PublishedFigure[],
  { images, tolerance: given }: CompareOptions,
): Comparison[] {
  const dataset = canonical(result.dataset);
  const candidates = figures.filter(
    (figure) =>
      figure.model === result.model &&
      figure.pretrained === result.pretrained &&
      figure.language === result.language &&
      canonical(figure.dataset) === dataset,
  );
  return Object.entries(result.metrics).flatMap(([metric, ours]) =>
    typeof ours !== "number"
      ? []
      : candidates
          .filter((figure) => figure.metric === metric)
          .map((published): Comparison => {
            const allowed = Math.max(given ?? published.source.tolerance, 2 / images);
            const tolerance = allowed + 0.5 * 10 ** -published.decimals;
            const difference = ours - published.value;
            const isWithin = Math.abs(difference) <= tolerance + rounding;
            const verdict = isWithin ? "match" : "differs";
            const isInformative = contradictory.has(published.dataset);
            return {
              metric,
              ours,
              published,
              difference,
              tolerance,
              verdict: isInformative ? "informative" : verdict,
            };
          }),
  );
}

/** Of the subtraction in float64. */
const rounding = 1e-12;

/** The comparison that decides for each metric: the one with the first of its sources. */
export function decisive(comparisons: readonly Comparison[]): Comparison[] {
  const first = new Map<string, Comparison>();
  for (const comparison of comparisons) {
    if (!first.has(comparison.metric)) first.set(comparison.metric, comparison);
  }
  return [...first.values()];
}

/** @throws InputError for a tolerance that is not a number of at least 0 */
export function assertTolerance(tolerance: number): void {
  if (Number.isFinite(tolerance) && tolerance >= 0) return;
  throw new InputError(`--tolerance: expected a number of at least 0, such as 0.002, got ${tolerance}`);
}

/** A difference with its sign: "+0.0012", "−0.0003"; "0.0000" if it is too small to be shown. */
export function signed(difference: number): string {
  const shown = Math.abs(difference).toFixed(4);
  if (Number(shown) === 0) return shown;
  return `${difference < 0 ? "−" : "+"}${shown}`;
}
