/** The norm of each token's vector as a line; the class token, which is no patch, is a dot. */
import { max } from "d3-array";
import { scaleLinear } from "d3-scale";
import { area, curveMonotoneX, line } from "d3-shape";
import { short } from "./format.ts";

interface Props {
  readonly values: readonly number[];
  readonly label: string;
}

const width = 220;
const height = 36;

export function Sparkline({ values, label }: Props) {
  const [first = 0, ...patches] = values;
  const x = scaleLinear([0, Math.max(patches.length - 1, 1)], [14, width - 1]);
  const y = scaleLinear([0, max(values) ?? 1], [height - 1, 3]);
  const points = patches.map((value, i) => [x(i), y(value)] as [number, number]);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: class token ${short(first)}, largest ${short(max(values) ?? 0)}`}
    >
      <path
        class="area"
        d={
          area()
            .x(([px]) => px)
            .y0(height)
            .y1(([, py]) => py)
            .curve(curveMonotoneX)(points) ?? ""
        }
      />
      <path class="line" d={line().curve(curveMonotoneX)(points) ?? ""} />
      <line class="stem" x1={4} x2={4} y1={height} y2={y(first)} />
      <path class="dot" d={`M4 ${y(first)}h0.01`} />
    </svg>
  );
}
