/** The range of numbers that a range of colours shows. */
export interface Scale {
  readonly low: number;
  readonly high: number;
}

/** From the smallest to the largest of some numbers; from 0 to 0 if there are none. */
export function scaleOf(...lists: readonly ArrayLike<number>[]): Scale {
  let [low, high] = [Infinity, -Infinity];
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      low = Math.min(low, list[i]!);
      high = Math.max(high, list[i]!);
    }
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}

/** From −m to m, where m is the largest absolute value: for numbers whose sign matters. */
export function signedScaleOf(...lists: readonly ArrayLike<number>[]): Scale {
  const { low, high } = scaleOf(...lists);
  const most = Math.max(Math.abs(low), Math.abs(high));
  return { low: -most, high: most };
}

/** Where a number lies in a scale: 0 at the low end, 1 at the high end, and never beyond them. */
export function position(value: number, { low, high }: Scale): number {
  return high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0;
}

/** Three significant digits, as short as they get: "0.031", "12", "1.2e-5". */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return `${value}`;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1);
  return `${Number(value.toPrecision(3))}`;
}
