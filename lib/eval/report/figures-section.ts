/** All figures in one table, and the charts that compare them. */
import { barsChart, type Bar } from "../../draw/charts/bars-chart.ts";
import { themed } from "../../draw/themed.ts";
import { decisive, type Comparison } from "../published.ts";
import { empty, Html, html } from "./html.ts";
import type { ReportedResult } from "./reported-result.ts";

/** "0.7695" */
export function figure(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : value.toFixed(4);
}

/** A table with a row for each figure of each result. */
export function figuresTable(results: readonly ReportedResult[]): Html {
  const rows = results.flatMap((result) => {
    const { record, evaluation, comparisons } = result;
    const byMetric = new Map(decisive(comparisons).map((comparison) => [comparison.metric, comparison]));
    return Object.entries(record.metrics).map(([metric, value], i, all) => {
      const head =
        i > 0
          ? empty
          : html`<th rowspan="${all.length}" scope="rowgroup">
              <a href="#${anchor(result)}">${record.dataset}</a>
              <small>${record.language}${record.partial === true ? ", partial" : ""}</small>
            </th>`;
      const error = evaluation?.standardErrors[metric] ?? null;
      return html`<tr${i === 0 ? new Html(' class="first"') : empty}>
        ${head}
        <td>${metric}</td>
        <td class="number">${figure(value)}</td>
        <td class="number weak">${error === null ? "" : `± ${figure(error)}`}</td>
        ${comparisonCells(byMetric.get(metric))}
      </tr>`;
    });
  });
  return html`<div class="wide">
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">dataset</th>
          <th scope="col">metric</th>
          <th scope="col" class="number">this run</th>
          <th scope="col" class="number">± s.e.</th>
          <th scope="col" class="number">published</th>
          <th scope="col" class="number">difference</th>
          <th scope="col">verdict</th>
          <th scope="col">source</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function comparisonCells(comparison: Comparison | undefined): Html {
  if (comparison === undefined)
    return html`<td class="number weak">–</td>
      <td></td>
      <td></td>
      <td></td>`;
  const { published, difference, tolerance, verdict } = comparison;
  const sign = { match: "✓ matches", differs: "✗ differs", informative: "informative" }[verdict];
  return html`<td class="number">${published.value.toFixed(published.source.decimals)}</td>
    <td class="number" title="tolerance ±${tolerance.toFixed(5)}">
      ${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(4)}
    </td>
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

/** Bars of all figures that are published, beside the published values. */
export function publishedChart(results: readonly ReportedResult[], id: string): Html {
  const bars = results.flatMap(({ record, comparisons }) =>
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

/** For each dataset in several languages and each of its main metrics: a bar for each language, best first. */
export function languageCharts(results: readonly ReportedResult[], id: string): Html[] {
  const datasets = [...new Set(results.map(({ record }) => record.dataset))];
  return datasets.flatMap((dataset, g) => {
    const group = results.filter(({ record }) => record.dataset === dataset);
    if (new Set(group.map(({ record }) => record.language)).size < 2) return [];
    return mainMetrics(group[0]!).map((metric, m) => {
      const bars = group
        .map(({ record, comparisons }): Bar => {
          const published = decisive(comparisons).find((one) => one.metric === metric)?.published.value;
          const value = record.metrics[metric] ?? 0;
          return { label: record.language, value, ...(published === undefined ? {} : { mark: published }) };
        })
        .toSorted((a, b) => b.value - a.value);
      const options = { title: `${dataset}: ${metric}`, names: { bars: "this run", marks: "published" } };
      return html`<figure>${new Html(themed(barsChart(bars, options), `${id}-${g}-${m}`))}</figure>`;
    });
  });
}

/** acc1 or mean average precision; recall in both directions at the smallest k; the selection of both. */
function mainMetrics({ record }: ReportedResult): string[] {
  const names = Object.keys(record.metrics);
  const recall = names.filter((name) => name.includes("_retrieval_recall@"));
  if (recall.length > 0) return recall.slice(0, 2);
  return names.filter((name) => ["acc1", "mean_average_precision", "acc", "lp_acc1"].includes(name));
}

function shortName(metric: string): string {
  return metric
    .replace("_retrieval_recall", " R")
    .replace("mean_per_class_recall", "recall")
    .replace("mean_average_precision", "mAP");
}
