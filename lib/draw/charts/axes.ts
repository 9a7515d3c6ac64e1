/** Axes and legends of charts with accuracy on the vertical axis. */
import { textWidth } from "../labels.ts";
import { element, type Markup } from "../svg.ts";

/** Where the axes are, in pixels. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export const strong = "#1f62aa";
export const weak = "#8a8a8a";
export const faint = "#e1e1e1";

export function percent(fraction: number): string {
  return `${Math.round(100 * fraction)}%`;
}

/** Horizontal lines at every tenth from `bottom` to 1, with their percentages, and the title of the axis. */
export function accuracyAxis({ left, top, width, height }: Frame, bottom: number): Markup[] {
  const lines: Markup[] = [];
  for (let tenth = Math.round(bottom * 10); tenth <= 10; tenth++) {
    const y = top + (height * (1 - tenth / 10)) / (1 - bottom);
    lines.push(
      element("line", { x1: left, y1: y, x2: left + width, y2: y, stroke: faint }),
      element("text", { x: left - 8, y: y + 4, "text-anchor": "end" }, percent(tenth / 10)),
    );
  }
  const [x, y] = [16, top + height / 2];
  const turn = { "text-anchor": "middle", transform: `rotate(-90 ${x} ${y})` };
  return [...lines, element("text", { x, y, ...turn }, "accuracy (%)")];
}

/** Labels below the frame, and the title of the axis below them. */
export function horizontalAxis(
  { left, top, width, height }: Frame,
  title: string,
  labels: readonly { readonly x: number; readonly text: string }[],
): Markup[] {
  const middle = { "text-anchor": "middle" };
  const below = top + height;
  return [
    ...labels.map(({ x, text }) => element("text", { x, y: below + 20, ...middle }, text)),
    element("text", { x: left + width / 2, y: below + 44, ...middle }, title),
  ];
}

export interface LegendEntry {
  readonly text: string;
  readonly color: string;
  /** Default: a bar. */
  readonly mark?: "line" | "dashes";
}

/** The marks and their meanings, in a row from (left, y). */
export function legend(entries: readonly LegendEntry[], left: number, y: number): Markup[] {
  let x = left;
  return entries.flatMap(({ text, color, mark }) => {
    const start = x;
    x += 26 + textWidth(text) + 20;
    const sign =
      mark === undefined
        ? element("rect", { x: start, y: y - 10, width: 18, height: 11, fill: color })
        : element("line", {
            x1: start,
            y1: y - 4,
            x2: start + 18,
            y2: y - 4,
            stroke: color,
            "stroke-width": 2.5,
            ...(mark === "dashes" && { "stroke-dasharray": "5 3" }),
          });
    return [sign, element("text", { x: start + 24, y }, text)];
  });
}
