import { element, svgFile, type Markup } from "../svg.ts";
import { accuracyAxis, horizontalAxis, legend, strong, weak, type Frame } from "./axes.ts";

/** Accuracies of a task at each α. */
export interface AlphaCurve {
  readonly title: string;
  /** From 0 to 1, in the order of the alphas. */
  readonly accuracies: readonly number[];
}

/** Draws accuracy against α, of the target task and of reference tasks. Returns an SVG file. */
export function alphaChart(
  alphas: readonly number[],
  target: AlphaCurve | null,
  references: readonly AlphaCurve[],
): string {
  const frame: Frame = { left: 70, top: 50, width: 520, height: 320 };
  const curves = [...references, ...(target ? [target] : [])];
  const all = curves.flatMap(({ accuracies }) => accuracies);
  const bottom = Math.min(Math.floor(Math.min(...all) * 10), 9) / 10;
  const last = Math.max(...alphas, 1);
  const x = (alpha: number): number => frame.left + (frame.width * alpha) / last;
  const y = (value: number): number => frame.top + (frame.height * (1 - value)) / (1 - bottom);
  const draw = ({ title, accuracies }: AlphaCurve, color: string): Markup[] => [
    element("polyline", {
      points: accuracies.map((value, i) => `${x(alphas[i]!).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
      fill: "none",
      stroke: color,
      "stroke-width": 2,
    }),
    ...accuracies.map((value, i) =>
      element(
        "circle",
        { cx: x(alphas[i]!), cy: y(value), r: 3.5, fill: color },
        element("title", {}, `${title}, α = ${alphas[i]!}: ${(100 * value).toFixed(1)}%`),
      ),
    ),
  ];
  return svgFile(frame.left + frame.width + 30, frame.top + frame.height + 62, "Accuracy against α", [
    ...accuracyAxis(frame, bottom),
    ...horizontalAxis(
      frame,
      "α: 0 is the first model, 1 the tuned one",
      alphas.map((alpha) => ({ x: x(alpha), text: `${alpha}` })),
    ),
    ...references.flatMap((curve) => draw(curve, weak)),
    ...(target ? draw(target, strong) : []),
    ...legend(
      [
        ...(target ? [{ text: target.title, color: strong, mark: "line" as const }] : []),
        ...(references.length > 0
          ? [{ text: references.map(({ title }) => title).join(", "), color: weak, mark: "line" as const }]
          : []),
      ],
      frame.left,
      28,
    ),
  ]);
}
