/** The parity report as a self-contained HTML file: error by depth as SVG, versions, a row for each tap. */
import { version_core as tfjsVersion } from "@tensorflow/tfjs-core";
import type { Golden } from "../../lib/parity/golden.ts";
import type { ParityReport, TapReport } from "../../lib/parity/verify.ts";
import { packageInfo } from "../package-info.ts";
import { figures, figureTitles, towers, verdict } from "./parity-text.ts";

/** @param backend a description of the backend that ran */
export function htmlReport(report: ParityReport, golden: Golden, backend: string): string {
  const { taps, passed, tolerance, worstRatio } = report;
  const titles = figureTitles(worstRatio !== null);
  const first = taps.find((tap) => !tap.passed);
  const ours = { clipscope: packageInfo().version, tfjs: tfjsVersion, backend, node: process.version };
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Parity: ${escape(golden.name)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
body, svg text { color: #222; fill: #222; background: #fff; }
table { border-collapse: collapse; font: 13px/1.5 ui-monospace, monospace; }
td, th { padding: 0 .7em; text-align: right; white-space: nowrap; }
td:first-child, th:first-child { text-align: left; }
th { position: sticky; top: 0; background: #fff; }
tr:hover { background: #eef; }
.failed, .verdict.failed { color: #b00020; }
.first { background: #fdd; }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
.versions td { text-align: left; white-space: normal; word-break: break-word; }
</style>
<h1>${passed ? "Passed" : "Failed"}</h1>
${verdict(report, golden)
  .map((line) => `<p class="verdict${passed ? "" : " failed"}">${escape(line)}</p>`)
  .join("\n")}
${towers(taps)
  .map((tower) => `<h2>${tower.title}: relative L2 by depth</h2>\n${chart(tower.taps, tolerance)}`)
  .join("\n")}
<h2>Versions</h2>
<table class="versions">
${versionRows("clipscope", ours)}
${versionRows("golden", { file: golden.name, ...withoutErrors(golden.metadata) })}
</table>
<h2>Taps</h2>
<table>
<tr><th>tap</th>${titles.map((title) => `<th>${title}</th>`).join("")}</tr>
${taps.map((tap) => row(tap, titles.length, tap === first, worstRatio !== null)).join("\n")}
</table>
</html>
`;
}

function row(tap: TapReport, columns: number, isFirst: boolean, hasRatio: boolean): string {
  const cells = figures(tap, hasRatio).map((text) => `<td>${escape(text)}</td>`);
  const rest = "<td></td>".repeat(Math.max(0, columns - cells.length));
  const kind = [tap.passed ? "" : "failed", isFirst ? "first" : ""].join(" ").trim();
  return `<tr${kind && ` class="${kind}"`}><td>${escape(tap.name)}</td>${cells.join("")}${rest}</tr>`;
}

const chartWidth = 900;
const chartHeight = 220;
const left = 50;
const bottom = 20;

/** A dot for each tap on a logarithmic axis; taps without figures are crosses at the top. */
function chart(taps: readonly TapReport[], tolerance: number): string {
  const logarithms = taps.map(({ relativeL2 }) =>
    relativeL2 === null || relativeL2 === 0 ? null : Math.log10(relativeL2),
  );
  const shown = [...logarithms.filter((value) => value !== null), Math.log10(tolerance || 1e-8)];
  const [low, high] = [Math.floor(Math.min(...shown)), Math.floor(Math.max(...shown)) + 1];
  const x = (i: number): number => left + ((i + 0.5) / taps.length) * (chartWidth - left);
  const y = (value: number): number => ((high - value) / (high - low)) * (chartHeight - bottom - 10) + 10;
  const parts: string[] = [];
  for (let decade = low; decade <= high; decade++) {
    parts.push(
      `<line x1="${left}" x2="${chartWidth}" y1="${y(decade)}" y2="${y(decade)}" stroke="#ddd"/>`,
      `<text x="${left - 6}" y="${y(decade) + 4}" text-anchor="end">1e${decade}</text>`,
    );
  }
  if (tolerance > 0) {
    const limit = y(Math.log10(tolerance));
    parts.push(
      `<line x1="${left}" x2="${chartWidth}" y1="${limit}" y2="${limit}" stroke="#b00020" stroke-dasharray="4 3"/>`,
    );
  }
  for (const [i, tap] of taps.entries()) {
    const value = logarithms[i] ?? null;
    const label = `<title>${escape(tap.name)}: ${tap.relativeL2?.toExponential(2) ?? "no figure"}</title>`;
    const color = tap.passed ? "#1a5fb4" : "#b00020";
    if (tap.relativeL2 === null) {
      parts.push(`<text x="${x(i)}" y="14" text-anchor="middle" style="fill:${color}">×${label}</text>`);
    } else {
      const height = value === null ? chartHeight - bottom : y(value); // zero has no logarithm: draw it at the bottom
      parts.push(
        `<circle cx="${x(i).toFixed(1)}" cy="${height.toFixed(1)}" r="2.5" fill="${color}">${label}</circle>`,
      );
    }
  }
  parts.push(
    `<text x="${left}" y="${chartHeight - 4}">${escape(taps[0]!.name)}</text>`,
    `<text x="${chartWidth}" y="${chartHeight - 4}" text-anchor="end">${escape(taps.at(-1)!.name)}</text>`,
  );
  return `<svg viewBox="0 0 ${chartWidth} ${chartHeight}" role="img">\n${parts.join("\n")}\n</svg>`;
}

function versionRows(side: string, versions: Readonly<Record<string, string>>): string {
  return Object.entries(versions)
    .map(([name, value]) => `<tr><td>${side}</td><td>${escape(name)}</td><td>${escape(value)}</td></tr>`)
    .join("\n");
}

/** The metadata without the errors, which the rows show as ratios. */
function withoutErrors(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== "float32_error"));
}

function escape(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
