/** A figure of each tap on a logarithmic axis, in the order of the computation. */
import { max, min } from "d3-array";
import { scaleLinear, scaleLog } from "d3-scale";
import { tiny } from "./format.ts";
import { useWidth } from "./use-width.ts";

export interface TapDot {
  readonly name: string;
  /** Null has no place on the axis; 0 is drawn at the foot. */
  readonly value: number | null;
  readonly isBad?: boolean;
  /** A figure to compare with. */
  readonly reference?: number | undefined;
}

interface Props {
  readonly taps: readonly TapDot[];
  /** What is drawn, with its unit. */
  readonly title: string;
  /** A line across. */
  readonly limit?: { readonly value: number; readonly name: string };
  readonly referenceName?: string;
  readonly selected: string | null;
  readonly onSelect: (tap: string) => void;
}

/** In pixels, until the chart's own width is known. */
const usualWidth = 960;
const height = 200;
const left = 46;

export function TapDots({ taps, title, limit, referenceName, selected, onSelect }: Props) {
  const [box, width] = useWidth<SVGSVGElement>(usualWidth);
  const positive = taps.flatMap(({ value, reference }) => [value, reference]).filter(isPositive);
  const low = 10 ** Math.floor(Math.log10(min([...positive, limit?.value ?? Infinity]) ?? 1e-8));
  const high = 10 ** Math.ceil(Math.log10(max([...positive, limit?.value ?? 0]) ?? 1));
  const x = scaleLinear([-0.5, taps.length - 0.5], [left, width - 8]);
  const y = scaleLog([low, Math.max(high, low * 10)], [height - 26, 10]);
  const at = taps.findIndex(({ name }) => name === selected);
  const place = (value: number): number => (value > 0 ? y(value) : height - 8);
  const ticks = y.ticks(5).filter((tick) => Number.isInteger(Math.round(Math.log10(tick) * 1e6) / 1e6));
  return (
    <figure class="tap-dots">
      <svg
        ref={box}
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        tabIndex={0}
        aria-label={`${title}: ${taps.length} values from ${exponent(low)} to ${exponent(high)}; arrow keys choose one`}
        onClick={(event) => {
          const { left: start } = event.currentTarget.getBoundingClientRect();
          const nearest = Math.round(x.invert(event.clientX - start));
          onSelect(taps[Math.min(Math.max(nearest, 0), taps.length - 1)]!.name);
        }}
        onKeyDown={(event) => {
          const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
          if (step === undefined) return;
          event.preventDefault();
          event.stopPropagation();
          onSelect(taps[Math.min(Math.max(at + step, 0), taps.length - 1)]!.name);
        }}
      >
        {ticks.map((tick) => (
          <g class="tick-line">
            <line x1={left} x2={width - 8} y1={y(tick)} y2={y(tick)} />
            <text x={left - 6} y={y(tick) + 4}>
              {exponent(tick)}
            </text>
          </g>
        ))}
        {taps.some(({ value }) => value === 0) && (
          <text class="zero" x={left - 6} y={height - 4}>
            0
          </text>
        )}
        {limit && <line class="limit" x1={left} x2={width - 8} y1={y(limit.value)} y2={y(limit.value)} />}
        {at >= 0 && <line class="selected" x1={x(at)} x2={x(at)} y1={4} y2={height} />}
        {taps.map(({ reference }, i) =>
          reference === undefined ? null : (
            <path class="reference" d={`M${x(i) - 3.5} ${place(reference)}h7`} />
          ),
        )}
        {taps.map(({ name, value, isBad = false }, i) =>
          value === null ? null : (
            <circle
              class={isBad ? "bad" : ""}
              cx={x(i)}
              cy={place(value)}
              r={name === selected ? 5 : taps.length > 200 ? 2 : 3.2}
            >
              <title>{`${name}: ${tiny(value)}`}</title>
            </circle>
          ),
        )}
      </svg>
      <figcaption class="caption">
        {title}, in the order of the computation.
        {referenceName !== undefined && (
          <>
            {" "}
            <span class="reference-key" aria-hidden="true" /> {referenceName}.
          </>
        )}
        {limit && (
          <>
            {" "}
            <span class="limit-key" aria-hidden="true" /> {limit.name} {exponent(limit.value)}.
          </>
        )}
      </figcaption>
    </figure>
  );
}

function isPositive(value: number | null | undefined): value is number {
  return value !== null && value !== undefined && value > 0;
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 1e-4 as 10⁻⁴; other numbers as they are. */
function exponent(value: number): string {
  const power = Math.log10(value);
  if (Math.abs(power - Math.round(power)) > 1e-9) return value.toExponential(1);
  const digits = `${Math.abs(Math.round(power))}`
    .split("")
    .map((digit) => superscripts[Number(digit)])
    .join("");
  return `10${power < 0 ? "⁻" : ""}${digits}`;
}
