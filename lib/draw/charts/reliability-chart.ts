import type { Evaluation } from "../../probe/evaluate.ts";
import { element, svgFile, type Markup } from "../svg.ts";
import { accuracyAxis, horizontalAxis, legend, percent, strong, weak, type Frame } from "./axes.ts";

/**
 * Draws accuracy against probability: the bars of a well-calibrated probe end on the diagonal. Bins with more examples
 * are more opaque. Returns an SVG file.
 */
export function reliabilityChart({
  calibration,
  calibrationError,
}: Pick<Evaluation, "calibration" | "calibrationError">): string {
  const frame: Frame = { left: 70, top: 70, width: 360, height: 360 };
  const { left, top, width, height } = frame;
  const total = calibration.reduce((sum, { examples }) => sum + examples, 0);
  const most = Math.max(...calibration.map(({ examples }) => examples));
  const binWidth = width / calibration.length;
  const bars = calibration.flatMap(({ examples, probability, accuracy }, i): Markup[] => {
    if (examples === 0) return [];
    const bar = Math.max(1, height * accuracy);
    const place = { x: left + binWidth * i + 1, y: top + height - bar, width: binWidth - 2, height: bar };
    const opacity = 0.3 + 0.7 * (examples / most);
    const about = `${examples} examples: probability ${percent(probability)}, accuracy ${percent(accuracy)}`;
    return [
      element("rect", { ...place, fill: strong, "fill-opacity": opacity }, element("title", {}, about)),
    ];
  });
  const labels = [0, 2, 4, 6, 8, 10].map((tenth) => ({
    x: left + (width * tenth) / 10,
    text: percent(tenth / 10),
  }));
  const diagonal = { x1: left, y1: top + height, x2: left + width, y2: top, stroke: weak, "stroke-width": 2 };
  const error = `calibration error ${(100 * calibrationError).toFixed(1)}%`;
  return svgFile(left + width + 40, top + height + 62, `Calibration: ${error}`, [
    element("text", { x: left, y: 24 }, `${total} examples, ${error}`),
    ...legend(
      [
        { text: "observed (darker: more examples)", color: strong },
        { text: "ideal", color: weak, mark: "dashes" },
      ],
      left,
      50,
    ),
    ...accuracyAxis(frame, 0),
    ...horizontalAxis(frame, "probability of the predicted class (%)", labels),
    ...bars,
    element("line", { ...diagonal, "stroke-dasharray": "5 3" }),
  ]);
}
