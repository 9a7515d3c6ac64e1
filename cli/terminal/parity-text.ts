/** The parity report as text for terminals; the HTML report uses the same phrases. */
import type { Golden } from "../../lib/parity/golden.ts";
import { yardstick, type ParityReport, type TapReport } from "../../lib/parity/verify.ts";
import { isImageTap } from "../../lib/parity/run-inputs.ts";
import { logChart } from "./column-chart.ts";
import { layOutTable, type Column } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** The titles of the columns that `figures` fills. */
export function figureTitles(hasRatio: boolean): string[] {
  return ["rel. L2", "max abs", "cosine", ...(hasRatio ? ["ratio"] : []), "worst at"];
}

/** The table of taps in the order of the computation, a chart for each tower, and the verdict. */
export function describeReport(report: ParityReport, golden: Golden, terminal: Terminal): string[] {
  const { colors, width } = terminal;
  const hasRatio = report.worstRatio !== null;
  const firstFailure = report.taps.find(({ passed }) => !passed);
  const columns: Column[] = [
    {},
    { title: "tap", cut: "start" },
    ...figureTitles(hasRatio).map((title) => ({ title, align: "right" as const })),
  ];
  const cells = report.taps.map((tap) => {
    const mark = tap.passed ? "" : tap === firstFailure ? "▶" : "✗";
    return [mark, tap.name, ...figures(tap, hasRatio)];
  });
  const { head, rows } = layOutTable(columns, cells, { width, gap: 1 });
  return [
    colors.dim(head),
    ...rows.map((row, i) => (report.taps[i]!.passed ? row : colors.red(row))),
    ...(report.isolated ? kinds(report.taps) : charts(report, width)),
    "",
    ...verdict(report, golden).map((text) => (report.passed ? text : colors.red(text))),
  ];
}

/** A tap's figures as text, or the reason why it has none. */
export function figures(tap: TapReport, hasRatio: boolean): string[] {
  const { relativeL2, maxAbs, cosine, worst, ratio } = tap;
  if (relativeL2 === null) return [why(tap)];
  const short = (value: number | null): string => value?.toExponential(1) ?? "";
  return [
    short(relativeL2),
    short(maxAbs),
    cosine?.toFixed(7) ?? "",
    ...(hasRatio ? [ratio?.toFixed(2) ?? ""] : []),
    worst ? `[${worst.join(",")}]` : "",
  ];
}

/** The reason why a tap has no figures. */
function why({ missing, problem }: TapReport): string {
  if (missing !== undefined) return missing === "ours" ? "only in the golden" : "not in the golden";
  return problem ?? "not finite";
}

/** The taps of each tower, in the order of the computation. */
export function towers(taps: readonly TapReport[]): { title: string; taps: TapReport[] }[] {
  const isImage = ({ name }: TapReport): boolean => isImageTap(name);
  const isBoth = ({ name }: TapReport): boolean => name === "logits_per_image";
  return [
    { title: "image tower", taps: taps.filter(isImage) },
    { title: "text tower", taps: taps.filter((tap) => !isImage(tap) && !isBoth(tap)) },
  ].filter((tower) => tower.taps.length > 0);
}

function charts({ taps, tolerance: limit }: ParityReport, width: number): string[] {
  return towers(taps).flatMap(({ title, taps: ofTower }) => [
    "",
    `${title}: relative L2 by depth`,
    ...logChart(
      ofTower.map(({ relativeL2 }) => relativeL2),
      width,
      limit,
    ),
  ]);
}

/** The mean error of each kind of module, the largest first. In isolation, a module's error is its own. */
function kinds(taps: readonly TapReport[]): string[] {
  const errors = new Map<string, number[]>();
  for (const { name, relativeL2 } of taps) {
    // Inside blocks, the name within the block: "mlp.c_proj".
    const kind = name.replace(/^.*\.(resblocks|layer)\.\d+\./, "$1: ");
    if (relativeL2 !== null && relativeL2 > 0) errors.set(kind, [...(errors.get(kind) ?? []), relativeL2]);
  }
  const means = Array.from(errors, ([kind, all]) => ({
    kind,
    mean: all.reduce((sum, error) => sum + error, 0) / all.length,
  })).sort((a, b) => b.mean - a.mean);
  const { rows } = layOutTable(
    [{}, {}],
    means.map(({ kind, mean }) => [kind, mean.toExponential(1)]),
  );
  return ["", "mean relative L2 error of each kind of module:", ...rows.map((row) => `  ${row}`)];
}

/** Whether the report passed, and the first and largest errors if not. */
export function verdict(report: ParityReport, golden: Golden): string[] {
  const { taps, worst, worstRatio, tolerance: limit, isolated, precision } = report;
  const failed = taps.filter(({ passed }) => !passed);
  const mode = `${isolated ? "each module on the golden's input" : "end to end"}${
    golden.samples === null ? "" : `, ${golden.samples} values of each tap`
  }`;
  const lines = report.passed
    ? [`passed: ${taps.length} taps within ${limit.toExponential()}, ${mode}; worst ${described(worst)}`]
    : [
        `failed: ${failed.length} of ${taps.length} taps beyond ${limit.toExponential()}, ${mode}`,
        `first:  ${described(failed[0]!)}`,
        `worst:  ${described(worst)}`,
      ];
  if (worstRatio) {
    const ratios = taps.flatMap(({ ratio }) => ratio ?? []).sort((a, b) => a - b);
    const largest = Math.max(...taps.map(({ name }) => yardstick(golden, precision)?.get(name) ?? 0));
    lines.push(
      `PyTorch's own ${precision === "f32" ? "float32" : "bfloat16"} error is at most ${largest.toExponential(1)}; ours is ` +
        `${ratios[Math.floor(ratios.length / 2)]!.toFixed(2)} times that at the median tap and ` +
        `${worstRatio.ratio!.toFixed(2)} times at the worst, ${worstRatio.name}`,
    );
  }
  if (precision !== "f32") lines.push(...embeddings(taps));
  return lines;
}

/** The directions of the embeddings, which is what searches and classifications compare. */
function embeddings(taps: readonly TapReport[]): string[] {
  return taps
    .filter(({ name }) => name === "image_features" || name === "text_features")
    .map(({ name, cosine }) => `${name}: cosine ${cosine?.toFixed(6) ?? "unknown"}`);
}

function described(tap: TapReport): string {
  const { name, relativeL2 } = tap;
  return relativeL2 === null ? `${name}: ${why(tap)}` : `${name}: ${relativeL2.toExponential(1)}`;
}
