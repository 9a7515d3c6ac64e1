import type { LayerFigures } from "../../probe/layers.ts";
import { element, svgFile, type Markup } from "../svg.ts";
import { accuracyAxis, horizontalAxis, legend, percent, strong, weak, type Frame } from "./axes.ts";

/** Draws the accuracies of the probes of all layers, from the first block to the embedding. Returns an SVG file. */
export function layersChart(figures: readonly LayerFigures[]): string {
  const frame: Frame = { left: 70, top: 50, width: Math.max(480, 26 * figures.length), height: 320 };
  const all = figures.flatMap(({ acc1, trainingAccuracy }) => [acc1, trainingAccuracy]);
  const bottom = Math.min(Math.floor(Math.min(...all) * 10), 9) / 10;
  const x = (i: number): number => frame.left + (frame.width * (i + 0.5)) / figures.length;
  const y = (value: number): number => frame.top + (frame.height * (1 - value)) / (1 - bottom);
  const curve = (values: readonly number[], color: string): Markup[] => [
    element("polyline", {
      points: values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
      fill: "none",
      stroke: color,
      "stroke-width": 2,
    }),
    ...values.map((value, i) =>
      element(
        "circle",
        { cx: x(i), cy: y(value), r: 3.5, fill: color },
        element("title", {}, `${figures[i]!.tap}: ${(100 * value).toFixed(1)}%`),
      ),
    ),
  ];
  const last = figures.length - 1;
  const labels = figures.map((_, i) => ({ x: x(i), text: i === last ? "emb" : `${i}` }));
  const training = figures.map(({ trainingAccuracy }) => trainingAccuracy);
  const test = figures.map(({ acc1 }) => acc1);
  const range = `${percent(Math.min(...test))} to ${percent(Math.max(...test))}`;
  return svgFile(
    frame.left + frame.width + 30,
    frame.top + frame.height + 62,
    `Accuracy by layer: ${range}`,
    [
      ...accuracyAxis(frame, bottom),
      ...horizontalAxis(frame, "block of the image tower (emb: the embedding)", labels),
      ...curve(training, weak),
      ...curve(test, strong),
      ...legend(
        [
          { text: "test images", color: strong, mark: "line" },
          { text: "training images", color: weak, mark: "line" },
        ],
        frame.left,
        28,
      ),
    ],
  );
}
