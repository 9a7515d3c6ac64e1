/** Pieces of SVG for the diagrams of docs/diagrams, which are legible on light and on dark pages. */

/** Colours by role. A diagram has its own background, and follows the reader's colour scheme if it is known. */
const style = `
  .page { fill: #ffffff; stroke: #d0d7de; }
  .box { fill: #f6f8fa; stroke: #8c959f; }
  .accent { fill: #ddf4ff; stroke: #218bff; }
  .group { fill: none; stroke: #8c959f; stroke-dasharray: 5 4; }
  .line { fill: none; stroke: #57606a; stroke-width: 1.4; }
  .head { fill: #57606a; }
  text { fill: #1f2328; font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; font-size: 14px; }
  .mono { font-family: ui-monospace, Menlo, "DejaVu Sans Mono", monospace; font-size: 12px; }
  .small { font-size: 11px; }
  .faint { fill: #57606a; }
  .bold { font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117; stroke: #30363d; }
    .box { fill: #161b22; stroke: #6e7681; }
    .accent { fill: #0c2d6b; stroke: #58a6ff; }
    .group { stroke: #6e7681; }
    .line { stroke: #8b949e; }
    .head { fill: #8b949e; }
    text { fill: #e6edf3; }
    .faint { fill: #9da7b3; }
  }`;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A whole drawing: a page with rounded corners, and the elements on it. */
export function drawing(width: number, height: number, title: string, elements: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<style>${style}
</style>
<defs>
  <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
    <path class="head" d="M 0 0 L 8 4 L 0 8 z" />
  </marker>
</defs>
<rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" />
${elements.join("\n")}
</svg>
`;
}

export function box(x: number, y: number, width: number, height: number, kind = "box"): string {
  return `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6" />`;
}

export interface TextOptions {
  readonly anchor?: "start" | "middle" | "end";
  /** Names of classes in the style above. */
  readonly kind?: string;
}

export function text({ x, y }: Point, content: string, { anchor = "start", kind }: TextOptions = {}): string {
  const kinds = kind === undefined ? "" : ` class="${kind}"`;
  return `<text x="${x}" y="${y}" text-anchor="${anchor}"${kinds}>${escaped(content)}</text>`;
}

/** A line through points, with an arrowhead at the last one. */
export function arrow(...points: readonly Point[]): string {
  return `<polyline class="line" points="${points.map(({ x, y }) => `${x},${y}`).join(" ")}" marker-end="url(#arrow)" />`;
}

/** A line downwards that curves from one vertical stretch to the next, with an arrowhead at the end. */
export function curve(
  stretches: readonly { readonly x: number; readonly top: number; readonly bottom: number }[],
): string {
  const [first, ...rest] = stretches;
  let path = `M ${first!.x} ${first!.bottom}`;
  let before = first!;
  for (const stretch of rest) {
    const middle = (before.bottom + stretch.top) / 2;
    path += ` C ${before.x} ${middle}, ${stretch.x} ${middle}, ${stretch.x} ${stretch.top}`;
    if (stretch !== rest.at(-1)) path += ` V ${stretch.bottom}`;
    before = stretch;
  }
  return `<path class="line" d="${path}" marker-end="url(#arrow)" />`;
}

/** A circle with a plus: the sum of a residual connection. */
export function plus({ x, y }: Point): string {
  return `<circle class="box" cx="${x}" cy="${y}" r="10" /><path class="line" d="M ${x - 5} ${y} H ${x + 5} M ${x} ${y - 5} V ${y + 5}" />`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
