import { element, svgFile, type Markup } from "../svg.ts";
import { faint, horizontalAxis, legend, strong, weak, type Frame } from "./axes.ts";

/** A loss by step. */
export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

/** Points that a curve is drawn with; of more steps, neighbours are averaged. */
const mostPoints = 400;

/** Draws the loss of training, and that of validation, by step. Returns an SVG file. */
export function lossChart(training: readonly LossPoint[], validation: readonly LossPoint[]): string {
  const frame: Frame = { left: 70, top: 50, width: 640, height: 320 };
  const curve = averaged(training);
  const all = [...curve, ...validation];
  const losses = all.map(({ loss }) => loss);
  const ticks = ticksFor(Math.min(...losses), Math.max(...losses));
  const [bottom, top] = [ticks[0]!, ticks.at(-1)!];
  const last = Math.max(...all.map(({ step }) => step));
  const x = (step: number): number => frame.left + (frame.width * step) / last;
  const y = (loss: number): number => frame.top + (frame.height * (top - loss)) / (top - bottom);
  const line = (points: readonly LossPoint[], color: string): Markup =>
    element("polyline", {
      points: points.map(({ step, loss }) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" "),
      fill: "none",
      stroke: color,
      "stroke-width": 2,
    });
  const steps = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * last));
  return svgFile(frame.left + frame.width + 30, frame.top + frame.height + 62, "Loss by step", [
    ...ticks.flatMap((tick) => [
      element("line", {
        x1: frame.left,
        y1: y(tick),
        x2: frame.left + frame.width,
        y2: y(tick),
        stroke: faint,
      }),
      element(
        "text",
        { x: frame.left - 8, y: y(tick) + 4, "text-anchor": "end" },
        `${Number(tick.toPrecision(4))}`,
      ),
    ]),
    ...horizontalAxis(
      frame,
      "step",
      [...new Set(steps)].map((step) => ({ x: x(step), text: `${step}` })),
    ),
    line(curve, weak),
    ...(validation.length === 0 ? [] : [line(validation, strong)]),
    ...validation.map(({ step, loss }) =>
      element(
        "circle",
        { cx: x(step), cy: y(loss), r: 3.5, fill: strong },
        element("title", {}, loss.toPrecision(4)),
      ),
    ),
    ...legend(
      [
        { text: "training", color: weak, mark: "line" as const },
        ...(validation.length === 0 ? [] : [{ text: "validation", color: strong, mark: "line" as const }]),
      ],
      frame.left,
      28,
    ),
  ]);
}

function averaged(points: readonly LossPoint[]): LossPoint[] {
  const count = Math.min(points.length, mostPoints);
  return Array.from({ length: count }, (_, i) => {
    const part = points.slice(
      Math.floor((i * points.length) / count),
      Math.floor(((i + 1) * points.length) / count),
    );
    return { step: part.at(-1)!.step, loss: part.reduce((sum, { loss }) => sum + loss, 0) / part.length };
  });
}

/** Round numbers from below the smallest value to above the largest. */
function ticksFor(least: number, most: number): number[] {
  const span = Math.max(most - least, 1e-6);
  const power = 10 ** Math.floor(Math.log10(span));
  const distance = [0.2, 0.5, 1, 2].map((factor) => factor * power).find((size) => span / size <= 6)!;
  const first = Math.floor(least / distance);
  const last = Math.ceil(most / distance);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * distance);
}
