/** Legends of maps: a bar of the colours with the numbers at its ends, and captions. */
import { drawLine, lineHeight, rasterText, rasterTextWidth } from "../draw/raster-text.ts";
import { heat, Raster, stacked, type ColorMap } from "../draw/raster.ts";
import { shortNumber, type Scale } from "../draw/scale.ts";

/** What a legend says. */
export interface Legend {
  /** What the colours show, with its unit: "attention probability". */
  readonly quantity: string;
  /** The numbers of the first and the last colour; null if each map has its own. */
  readonly scale: Scale | null;
  /** What the ends show if each map has its own scale. Default: "smallest" and "largest". */
  readonly ends?: readonly [low: string, high: string];
  /** Default: dark blue to yellow. */
  readonly color?: ColorMap;
}

/** The least width of a legend, in pixels. */
const leastWidth = 240;
const barHeight = 12;

/** An image with a legend below it. */
export function withLegend(
  image: Raster,
  { quantity, scale, ends = ["smallest", "largest"], color = heat }: Legend,
): Raster {
  const width = Math.max(image.width, leastWidth);
  const bar = new Raster(width, barHeight).paint((x) => color(x / (width - 1)));
  const [low, high] = scale ? [shortNumber(scale.low), shortNumber(scale.high)] : ends;
  const numbers = new Raster(width, lineHeight);
  drawLine(numbers, low, 4, 4);
  drawLine(numbers, high, width - rasterTextWidth(high) + 4, 4);
  const what = scale ? quantity : `${quantity}; each map has its own range`;
  return stacked([image, new Raster(width, 4), bar, numbers, rasterText(what, width)]);
}

/** An image with a line of text below it. */
export function withCaption(image: Raster, text: string): Raster {
  return stacked([image, rasterText(text, image.width)]);
}

/** "0.0012 to 0.21", the range that a map's colours show. */
export function rangeOf({ low, high }: Scale): string {
  return `${shortNumber(low)} to ${shortNumber(high)}`;
}
