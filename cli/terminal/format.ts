/** Values as text for the terminal. */
import type { Interval } from "../../lib/probe/interval.ts";

/** Replaces control characters by escapes, so that a file name cannot move the cursor. */
export function printable(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** "93.2%", or a dash if undefined. */
export function percent(fraction: number | undefined): string {
  return fraction === undefined ? "–" : `${(100 * fraction).toFixed(1)}%`;
}

/** "93.2% ± 1.1%" */
export function plusMinus({ mean, half }: Interval): string {
  return `${percent(mean)} ± ${percent(half)}`;
}

/** A mean and the ends of its interval. */
export function intervalAsJson({ mean, half }: Interval): { mean: number; interval: [number, number] } {
  return { mean, interval: [mean - half, mean + half] };
}

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/** A bar of at most `width` columns for a fraction from 0 to 1, in eighths of a column. */
export function bar(fraction: number, width: number): string {
  const length = Math.round(Math.min(Math.max(fraction, 0), 1) * width * 8);
  return "█".repeat(Math.floor(length / 8)) + eighths[length % 8]!;
}

/** "1.7 MB" */
export function byteSize(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** "0.39 GFLOPs" */
export function gigaflops(flops: number): string {
  const giga = flops / 1e9;
  return `${giga >= 100 ? giga.toFixed(1) : giga >= 0.1 ? giga.toFixed(2) : giga.toPrecision(2)} GFLOPs`;
}
