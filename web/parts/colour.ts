/** Numbers as colours. */
import { heat, type Color, type ColorMap } from "../../lib/draw/raster.ts";

export type ColourMap = "sequential" | "diverging";

const low = [33, 102, 172] as const;
const middle = [246, 246, 244] as const;
const high = [214, 96, 14] as const;

/** @param unit 0 to 1; for a diverging map, 0.5 is zero */
export function colourOf(unit: number, map: ColourMap): Color {
  return colourMaps[map](unit);
}

/** Each map is one function, whose colours `overlay` keeps as a table. */
export const colourMaps: Readonly<Record<ColourMap, ColorMap>> = { sequential: heat, diverging };

function diverging(unit: number): Color {
  const at = Math.min(Math.max(unit, 0), 1);
  const [from, to, part] = at < 0.5 ? [low, middle, at * 2] : [middle, high, at * 2 - 1];
  return [0, 1, 2].map((i) => from[i]! + (to[i]! - from[i]!) * part) as [number, number, number];
}

/** The range in which values are drawn: a diverging map has zero in its middle. */
export function drawnRange([min, max]: readonly [number, number], map: ColourMap): readonly [number, number] {
  if (map === "sequential") return [min, max];
  const largest = Math.max(Math.abs(min), Math.abs(max));
  return [-largest, largest];
}

/** Values of both signs have a diverging map. */
export function mapFor(min: number, max: number): ColourMap {
  return min < 0 && max > 0 ? "diverging" : "sequential";
}

export function cssGradient(map: ColourMap): string {
  const stops = Array.from(
    { length: 9 },
    (_, i) =>
      `rgb(${colourOf(i / 8, map)
        .map(Math.round)
        .join(" ")})`,
  );
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/** Black or white, whichever reads better on a colour (WCAG's relative luminance). */
export function inkOn([red, green, blue]: Color): "#000000" | "#ffffff" {
  const [r, g, b] = [red, green, blue].map((channel) => {
    const unit = channel / 255;
    return unit <= 0.04045 ? unit / 12.92 : ((unit + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
