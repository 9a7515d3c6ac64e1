/** The meaning of a colour map: a bar with numbers and a unit. */
import { cssGradient, drawnRange, type ColourMap } from "./colour.ts";
import { rough } from "./format.ts";

interface Props {
  readonly map: ColourMap;
  readonly range: readonly [number, number];
  readonly unit: string;
  /** A value to mark, such as that of uniform attention. */
  readonly mark?: { readonly value: number; readonly name: string };
}

export function Legend({ map, range, unit, mark }: Props) {
  const [low, high] = drawnRange(range, map);
  const at = mark && high > low ? (mark.value - low) / (high - low) : null;
  const isInside = at !== null && at >= 0 && at <= 1;
  return (
    <div class="legend">
      <div class="bar" style={{ background: cssGradient(map) }}>
        {isInside && <i style={{ left: `${100 * at}%` }} />}
      </div>
      <div class="ends">
        <span>{rough(low)}</span>
        <span class="unit">
          {unit}
          {mark && isInside && (
            <>
              {" · "}
              <span class="tick" aria-hidden="true" /> {mark.name} {rough(mark.value)}
            </>
          )}
        </span>
        <span>{rough(high)}</span>
      </div>
    </div>
  );
}
