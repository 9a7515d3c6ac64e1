/** All figures in one table, and the charts that compare them. */
import { barsChart, type Bar } from "../../draw/charts/bars-chart.ts";
import { themed } from "../../draw/themed.ts";
import { decisive, signed, type Comparison } from "../published.ts";
import { empty, Html, html } from "./html.ts";
import type { ReportedResult } from "./reported-result.ts";

/** "0.7695"; "1" for the whole numbers among a linear probe's figures, such as its epochs. */
function figure(value: number | boolean | null | undefined): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return "–";
  return Number.isInteger(value) && value > 1 ? `${value}` : value.toFixed(4);
}

/** A table with a row for each figure of each result. The columns of published figures are left out if there are none. */
export function figuresTable(results: readonly ReportedResult[]): Html {
  const isCompared = results.some(({ comparisons }) => comparisons.length > 0);
  return html`<div class="wide">
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">metric</th>
          <th scope="col" class="number">this run</th>
          <th scope="col" class="number">± s.e.</th>
          ${
            isCompared
              ? html`<th scope="col" class="number">published</th>
                  <th scope="col" class="number">difference</th>
                  <th scope="col">verdict</th>
                  <th scope="col">source</th>`
              : empty
          }
        </tr>
      </thead>
      ${results.map(
        (result) =>
          html`<tbody>
            ${[datasetRow(result, isCompared), ...figureRows(result, isCompared)]}
          </tbody>`,
      )}
    </table>
  </div>`;
}

function figureRows(result: ReportedResult, isCompared: boolean): Html[] {
  const { record, evaluation } = result;
  const compared = new Map(decisive(result.comparisons).map((comparison) => [comparison.metric, comparison]));
  const metrics = Object.entries(record.metrics);
  return metrics.map(([metric, value]) => {
    const error = evaluation?.standardErrors[metric] ?? null;
    return html`<tr>
      <td>${metric}</td>
      <td class="number">${figure(value === null ? null : Number(value))}</td>
      <td class="number weak">${error === null ? "" : `± ${figure(error)}`}</td>
      ${isCompared ? comparisonCells(compared.get(metric)) : empty}
    </tr>`;
  });
}

/** The name of the dataset above its figures, so that these fit a narrow screen. It links to the details, if there are any. */
function datasetRow(result: ReportedResult, isCompared: boolean): Html {
  const { dataset, language, partial } = result.record;
  const name =
    result.evaluation === null ? html`${dataset}` : html`<a href="#${anchor(result)}">${dataset}</a>`;
  return html`<tr class="first">
    <th colspan="${isCompared ? 7 : 3}" scope="rowgroup">
      ${name} <small>${language}${partial === true ? ", partial" : ""}</small>
    </th>
  </tr>`;
}

function comparisonCells(comparison: Comparison | undefined): Html {
  if (comparison === undefined)
    return html`<td class="number weak">–</td>
      <td></td>
      <td></td>
      <td></td>`;
  const { published, difference, tolerance, verdict } = comparison;
  const sign = { match: "✓ matches", differs: "✗ differs", informative: "informative" }[verdict];
  return html`<td class="number">${published.value.toFixed(Math.min(published.decimals, 6))}</td>
    <td class="number" title="tolerance ±${tolerance.toFixed(5)}">${signed(difference)}</td>
    <td class="${verdict}">${sign}</td>
    <td class="weak">${sourceLink(published.source)}</td>`;
}

function sourceLink({ name, url, about }: Comparison["published"]["source"]): Html {
  // Other schemes could run scripts: a file of --compare may come from anywhere.
  if (!/^https?:\/\//.test(url)) return html`${name}`;
  return html`<a href="${url}" title="${about}">${name}</a>`;
}

/** The id of a result's section. */
export function anchor({ file }: ReportedResult): string {
  return `result-${file.replaceAll(/[^\w.-]/g, "-")}`;
}

/** Bars of the figures that are published, beside these. Datasets in several languages have charts of their own. */
export function publishedChart(results: readonly ReportedResult[], id: string): Html {
  const bars = results
    .filter(({ record }) => languagesOf(results, record.dataset).size === 1)
    .flatMap(({ record, comparisons }) =>
      decisive(comparisons).map(({ metric, ours, published }): Bar => {
        const language = record.language === "en" ? "" : ` (${record.language})`;
        return {
          label: `${record.dataset}${language} ${shortName(metric)}`,
          value: ours,
          mark: published.value,
        };
      }),
    );
  if (bars.length === 0) return empty;
  const options = {
    title: "Figures against published ones",
    names: { bars: "this run", marks: "published" },
  };
  return html`<figure>${new Html(themed(barsChart(bars, options), id))}</figure>`;
}

function languagesOf(results: readonly ReportedResult[], dataset: string): ReadonlySet<string> {
  return new Set(
    results.filter(({ record }) => record.dataset === dataset).map(({ record }) => record.language),
  );
}

/** For each dataset in several languages and each of its main metrics: a bar for each language, best first. */
export function languageCharts(results: readonly ReportedResult[], id: string): Html[] {
  const datasets = [...new Set(results.map(({ record }) => record.dataset))];
  return datasets.flatMap((dataset, g) => {
    const group = results.filter(({ record }) => record.dataset === dataset);
    if (languagesOf(results, dataset).size < 2) return [];
    return mainMetrics(group[0]!).map((metric, m) => {
      const bars = group
        .map(({ record, comparisons }): Bar => {
          const published = decisive(comparisons).find((one) => one.metric === metric)?.published.value;
          const value = Number(record.metrics[metric] ?? 0);
          return { label: record.language, value, ...(published === undefined ? {} : { mark: published }) };
        })
        .toSorted((a, b) => b.value - a.value);
      const options = { title: `${dataset}: ${metric}`, names: { bars: "this run", marks: "published" } };
      return html`<figure>${new Html(themed(barsChart(bars, options), `${id}-${g}-${m}`))}</figure>`;
    });
  });
}

/** acc1 or mean average precision; recall in both directions at the first k; the selection of both. */
function mainMetrics({ record }: ReportedResult): string[] {
  const names = Object.keys(record.metrics);
  const recalls = ["image", "text"].map((side) =>
    names.find((name) => name.startsWith(`${side}_retrieval_recall@`)),
  );
  const others = names.filter((name) => ["acc1", "mean_average_precision", "acc", "lp_acc1"].includes(name));
  return [...recalls.filter((name) => name !== undefined), ...others];
}

function shortName(metric: string): string {
  return metric
    .replace("_retrieval_recall", " R")
    .replace("mean_per_class_recall", "recall")
    .replace("mean_average_precision", "mAP");
}
