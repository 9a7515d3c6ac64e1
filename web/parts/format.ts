/** Numbers as texts. */

/** Four significant digits, in few characters. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return minus(value.toExponential(1));
  return minus(
    value
      .toPrecision(size >= 1000 ? 5 : 4)
      .replace(/(\.\d*?)0+$/, "$1")
      .replace(/\.$/, ""),
  );
}

/** Three significant digits, for ends of axes and legends. */
export function rough(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && size < 1e-3) return minus(value.toExponential(0));
  return short(Number(value.toPrecision(3)));
}

/** Three significant digits of a figure that may be tiny, such as an error. */
export function tiny(value: number): string {
  if (value === 0) return "0";
  return minus(Math.abs(value) < 1e-2 ? value.toExponential(2) : value.toPrecision(3));
}

/** A fixed number of decimals, so that columns line up. */
export function fixed(value: number, decimals: number): string {
  return minus(value.toFixed(decimals));
}

export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "scalar" : shape.join(" × ");
}

/** Thousands are separated by thin spaces. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

function minus(text: string): string {
  return text.replace(/^-/, "−");
}
