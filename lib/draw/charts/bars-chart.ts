import { fitText, textWidth } from "../labels.ts";
import { element, ink, svgFile, type Markup } from "../svg.ts";
import { faint, legend, percent, strong } from "./axes.ts";

/** A fraction, and what it is compared with. */
export interface Bar {
  readonly label: string;
  /** 0 to 1 */
  readonly value: number;
  /** Another value of the same thing, drawn as a line across the bar. */
  readonly mark?: number;
}

export interface BarsChartOptions {
  readonly title: string;
  /** What the bars are, and what the marks are; without marks there is no legend. */
  readonly names: { readonly bars: string; readonly marks: string };
}

const rowHeight = 24;
const barHeight = 14;
const barsWidth = 420;
const longestLabel = 330;
const top = 40;

/** Draws fractions as horizontal bars, from 0 to 100 %, in the given order. Returns an SVG file. */
export function barsChart(bars: readonly Bar[], { title, names }: BarsChartOptions): string {
  const labels = bars.map(({ label }) => fitText(label, longestLabel));
  const left = 16 + labels.reduce((widest, label) => Math.max(widest, textWidth(label)), 0);
  const x = (value: number): number => left + barsWidth * Math.min(Math.max(value, 0), 1);
  const bottom = top + bars.length * rowHeight;
  const hasMarks = bars.some(({ mark }) => mark !== undefined);
  return svgFile(left + barsWidth + 70, bottom + (hasMarks ? 50 : 30), title, [
    element("text", { x: 0, y: 16, "font-weight": 600 }, title),
    ...gridLines(x, bottom),
    ...bars.flatMap((bar, row) => rowOf(bar, labels[row]!, top + row * rowHeight, left, x)),
    ...(hasMarks
      ? legend(
          [
            { text: names.bars, color: strong },
            { text: names.marks, color: ink, mark: "line" },
          ],
          left,
          bottom + 44,
        )
      : []),
  ]);
}

function gridLines(x: (value: number) => number, bottom: number): Markup[] {
  return [0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
    element("line", { x1: x(value), y1: top - 6, x2: x(value), y2: bottom, stroke: faint }),
    element("text", { x: x(value), y: bottom + 18, "text-anchor": "middle" }, percent(value)),
  ]);
}

function rowOf(
  { label, value, mark }: Bar,
  shown: string,
  y: number,
  left: number,
  x: (value: number) => number,
): Markup[] {
  const middle = y + barHeight / 2;
  const text = `${(100 * value).toFixed(1)}%`;
  const about = mark === undefined ? text : `${text}, ${(100 * mark).toFixed(1)}%`;
  const end = Math.max(x(value), mark === undefined ? left : x(mark));
  return [
    element("text", { x: left - 10, y: middle + 4.5, "text-anchor": "end" }, shown),
    element(
      "rect",
      { x: left, y, width: Math.max(x(value) - left, 1), height: barHeight, rx: 2, fill: strong },
      element("title", {}, `${label}: ${about}`),
    ),
    ...(mark === undefined
      ? []
      : [
          element("line", {
            x1: x(mark),
            x2: x(mark),
            y1: y - 3,
            y2: y + barHeight + 3,
            stroke: ink,
            "stroke-width": 3,
          }),
        ]),
    element("text", { x: end + 8, y: middle + 4.5 }, text),
  ];
}
