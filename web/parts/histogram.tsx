/** How a tap's values are distributed. */
import { max } from "d3-array";
import { scaleLinear } from "d3-scale";
import { count, rough } from "./format.ts";

interface Props {
  readonly counts: readonly number[];
  readonly min: number;
  readonly max: number;
}

const width = 300;
const height = 72;

export function Histogram({ counts, min, max: largest }: Props) {
  const most = max(counts) ?? 0;
  const x = scaleLinear([0, counts.length], [0, width]);
  // A square root shows rare values, which a linear axis would hide.
  const y = (value: number): number => (most > 0 ? Math.sqrt(value / most) * height : 0);
  const zero = min < 0 && largest > 0 ? (-min / (largest - min)) * width : null;
  return (
    <figure class="histogram">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Histogram of ${counts.length} intervals from ${rough(min)} to ${rough(largest)}; the fullest holds ${count(most)} values`}
      >
        {counts.map((value, i) => (
          <rect x={x(i)} y={height - y(value)} width={x(1) - 0.6} height={y(value)} />
        ))}
        {zero !== null && <line x1={zero} x2={zero} y1={0} y2={height} />}
      </svg>
      <div class="ends">
        <span>{rough(min)}</span>
        <span class="unit">{zero === null ? "value" : "value; the line is zero"}</span>
        <span>{rough(largest)}</span>
      </div>
    </figure>
  );
}
