/** Loss and training accuracy over the iterations of a fit. */
import { max } from "d3-array";
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { percent, rough, short } from "./format.ts";
import { useWidth } from "./use-width.ts";

interface Props {
  /** At least one. */
  readonly steps: readonly { readonly loss: number; readonly accuracy: number }[];
}

/** In pixels, until the chart's own width is known. */
const usualWidth = 420;
const height = 170;
const [left, right, top, bottom] = [44, 44, 10, 24];

export function FitCurve({ steps }: Props) {
  const [box, width] = useWidth<SVGSVGElement>(usualWidth);
  const last = steps.at(-1)!;
  const most = max(steps, ({ loss }) => loss)!;
  const x = scaleLinear([0, Math.max(steps.length - 1, 1)], [left, width - right]);
  const loss = scaleLinear([0, most], [height - bottom, top]);
  const accuracy = scaleLinear([0, 1], [height - bottom, top]);
  const draw = (y: (i: number) => number): string =>
    line<unknown>()
      .x((_, i) => x(i))
      .y((_, i) => y(i))(steps as unknown[]) ?? "";
  return (
    <figure class="fit-curve">
      <svg
        ref={box}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Loss from ${short(steps[0]!.loss)} to ${short(last.loss)}, training accuracy ${percent(last.accuracy)}, in ${steps.length - 1} iterations`}
      >
        <line class="axis" x1={left} x2={width - right} y1={height - bottom} y2={height - bottom} />
        <path class="loss" d={draw((i) => loss(steps[i]!.loss))} />
        <path class="accuracy" d={draw((i) => accuracy(steps[i]!.accuracy))} />
        <text class="loss" x={left - 6} y={top + 8} text-anchor="end">
          {rough(most)}
        </text>
        <text x={left - 6} y={height - bottom} text-anchor="end">
          0
        </text>
        <text class="accuracy" x={width - right + 6} y={top + 8}>
          100 %
        </text>
        <text x={left} y={height - 6}>
          iteration 0
        </text>
        <text x={width - right} y={height - 6} text-anchor="end">
          {steps.length - 1}
        </text>
      </svg>
      <figcaption class="caption">
        <span class="loss">Loss</span> (left axis) and <span class="accuracy">training accuracy</span> (right
        axis).
      </figcaption>
    </figure>
  );
}
