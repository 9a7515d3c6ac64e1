/** The parity report as text, for terminals; its words serve the HTML report too. */
import type { Golden } from "../../lib/parity/golden.ts";
import type { ParityReport, TapReport } from "../../lib/parity/verify.ts";
import { isImageTap } from "../../lib/parity/run-inputs.ts";
import { logPlot } from "./plot.ts";
import { fitEnd } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export function figureTitles(hasRatio: boolean): string[] {
  return ["rel. L2", "max abs", "cosine", ...(hasRatio ? ["ratio"] : []), "worst at"];
}

/** The table by depth, a plot for each tower, and the verdict last, where a terminal ends up. */
export function describeReport(report: ParityReport, golden: Golden, terminal: Terminal): string[] {
  const { colors, width } = terminal;
  const hasRatio = report.worstRatio !== null;
  const head = figureTitles(hasRatio);
  const firstFailure = report.taps.find(({ passed }) => !passed);
  const cells = report.taps.map((tap) => figures(tap, hasRatio));
  const measured = cells.filter((row) => row.length === head.length);
  const widths = head.map((title, i) => Math.max(title.length, ...measured.map((row) => row[i]!.length)));
  const room = Math.max(12, width - 2 - widths.reduce((sum, column) => sum + column + 1, 0));
  const nameWidth = Math.min(room, Math.max(...report.taps.map(({ name }) => name.length)));
  const line = (start: string, name: string, row: readonly string[]): string =>
    `${start} ${fitEnd(name, nameWidth)} ${row.map((text, i) => text.padStart(row.length > 1 ? widths[i]! : 0)).join(" ")}`;

  const rows = report.taps.map((tap, i) => {
    if (tap.passed) return line(" ", tap.name, cells[i]!);
    return colors.red(line(tap === firstFailure ? "▶" : "✗", tap.name, cells[i]!));
  });
  return [
    colors.dim(line(" ", "tap", head)),
    ...rows,
    ...(report.isolated ? kinds(report.taps) : plots(report, width)),
    "",
    ...verdict(report, golden).map((text) => (report.passed ? text : colors.red(text))),
  ];
}

/** A tap's figures as text; why there are none, where there are none. */
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

/** Why a tap has no figures. */
function why({ missing, problem }: TapReport): string {
  if (missing !== undefined) return missing === "ours" ? "only in the golden" : "not in the golden";
  return problem ?? "not finite";
}

/** Taps of one tower, by depth. */
export function towers(taps: readonly TapReport[]): { title: string; taps: TapReport[] }[] {
  const isImage = ({ name }: TapReport): boolean => isImageTap(name);
  const isBoth = ({ name }: TapReport): boolean => name === "logits_per_image";
  return [
    { title: "image tower", taps: taps.filter(isImage) },
    { title: "text tower", taps: taps.filter((tap) => !isImage(tap) && !isBoth(tap)) },
  ].filter((tower) => tower.taps.length > 0);
}

function plots({ taps, tolerance: limit }: ParityReport, width: number): string[] {
  return towers(taps).flatMap(({ title, taps: ofTower }) => [
    "",
    `${title}: relative L2 by depth`,
    ...logPlot(
      ofTower.map(({ relativeL2 }) => relativeL2),
      width,
      limit,
    ),
  ]);
}

/** In isolation every error is a module's own: the mean over all modules of a kind, the largest first. */
function kinds(taps: readonly TapReport[]): string[] {
  const errors = new Map<string, number[]>();
  for (const { name, relativeL2 } of taps) {
    // In blocks the name within the block: "mlp.c_proj".
    const kind = name.replace(/^.*\.(resblocks|layer)\.\d+\./, "$1: ");
    if (relativeL2 !== null && relativeL2 > 0) errors.set(kind, [...(errors.get(kind) ?? []), relativeL2]);
  }
  const rows = Array.from(errors, ([kind, all]) => ({
    kind,
    mean: all.reduce((sum, error) => sum + error, 0) / all.length,
  })).sort((a, b) => b.mean - a.mean);
  const width = Math.max(0, ...rows.map(({ kind }) => kind.length));
  return [
    "",
    "relative L2 that each kind of module makes, mean:",
    ...rows.map(({ kind, mean }) => `  ${kind.padEnd(width)} ${mean.toExponential(1)}`),
  ];
}

/** In a few lines: passed or not, where, how far off. */
export function verdict(report: ParityReport, golden: Golden): string[] {
  const { taps, worst, worstRatio, tolerance: limit, isolated } = report;
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
    const largest = Math.max(...taps.map(({ name }) => golden.float32Error?.get(name) ?? 0));
    lines.push(
      `PyTorch's own float32 error, ${largest.toExponential(1)} at most: ours is ${ratios[Math.floor(ratios.length / 2)]!.toFixed(2)} times that at the ` +
        `median tap, ${worstRatio.ratio!.toFixed(2)} at most, at ${worstRatio.name}`,
    );
  }
  return lines;
}

function described(tap: TapReport): string {
  const { name, relativeL2 } = tap;
  return relativeL2 === null ? `${name}: ${why(tap)}` : `${name}: ${relativeL2.toExponential(1)}`;
}
