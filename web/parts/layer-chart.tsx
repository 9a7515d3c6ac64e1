/** Lines over the layers, or over other points that are evenly spaced. */
import { extent } from "d3-array";
import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { rough } from "./format.ts";
import { useWidth } from "./use-width.ts";

export interface Line {
  readonly name: string;
  /** One a layer; null where it is not known. */
  readonly values: readonly (number | null)[];
  readonly kind: "chosen" | "other" | "baseline";
}

interface Props {
  readonly lines: readonly Line[];
  readonly layers: number;
  /** The marked layer. */
  readonly layer: number;
  readonly onLayer: (layer: number) => void;
  /** The range that the axis has at least. */
  readonly domain: readonly [number, number] | null;
  readonly unit: string;
  readonly title: string;
  /** What the points stand for. Default: layers. */
  readonly axis?: string;
  /** The text at a point. Default: its number. */
  readonly tickText?: (point: number) => string;
}

/** In pixels, until the chart's own width is known. */
const usualWidth = 640;
const [left, right, top, bottom] = [46, 18, 16, 44];

export function LayerChart({
  lines,
  layers,
  layer,
  onLayer,
  domain,
  unit,
  title,
  axis = "layer",
  tickText = String,
}: Props) {
  const [box, width] = useWidth<SVGSVGElement>(usualWidth);
  const height = Math.min(Math.max(Math.round(0.47 * width), 200), 300);
  const values = lines.flatMap((one) => one.values.filter((value) => value !== null));
  const [low = 0, high = 1] = domain ?? extent(values);
  const x = scaleLinear([0, Math.max(layers - 1, 1)], [left, width - right]);
  const y = scaleLinear([low, high], [height - bottom, top]).nice();
  const draw = line<number | null>()
    .defined((value) => value !== null)
    .x((_, i) => x(i))
    .y((value) => y(value!));
  const at = (event: PointerEvent): number => {
    const { left: start } = (event.currentTarget as Element).getBoundingClientRect();
    const place = x.invert(event.clientX - start);
    return Math.min(Math.max(Math.round(place), 0), layers - 1);
  };
  return (
    <svg
      ref={box}
      class="layer-chart"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      tabIndex={0}
      aria-label={`${title}; arrow keys choose a point`}
      onPointerDown={(event) => {
        onLayer(at(event));
      }}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (step === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        onLayer(Math.min(Math.max(layer + step, 0), layers - 1));
      }}
    >
      {y.ticks(5).map((tick) => (
        <g class="grid">
          <line x1={left} x2={width - right} y1={y(tick)} y2={y(tick)} />
          <text x={left - 8} y={y(tick)} dy="0.32em" text-anchor="end">
            {rough(tick)}
          </text>
        </g>
      ))}
      {x
        .ticks(Math.min(layers, Math.floor(width / 50)))
        .filter(Number.isInteger)
        .map((tick) => (
          <text class="tick-label" x={x(tick)} y={height - bottom + 18} text-anchor="middle">
            {tickText(tick)}
          </text>
        ))}
      <text class="tick-label" x={(left + width - right) / 2} y={height - 6} text-anchor="middle">
        {axis}
      </text>
      <text class="tick-label" x={left} y={top - 5}>
        {unit}
      </text>
      <line class="marked" x1={x(layer)} x2={x(layer)} y1={top} y2={height - bottom} />
      {lines.map(({ name, values: points, kind }) => (
        <g class={`series ${kind}`}>
          <path d={draw(points) ?? ""} />
          {points.map(
            (value, i) => value !== null && <circle cx={x(i)} cy={y(value)} r={kind === "other" ? 1.5 : 3} />,
          )}
          <title>{name}</title>
        </g>
      ))}
    </svg>
  );
}
