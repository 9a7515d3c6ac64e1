/** A small writer of SVG. Texts and attribute values are escaped; only markup that was made here is inserted as it is. */

type Name =
  | "circle"
  | "defs"
  | "g"
  | "image"
  | "line"
  | "linearGradient"
  | "polyline"
  | "rect"
  | "stop"
  | "svg"
  | "text"
  | "title";

export type Attributes = Readonly<Record<string, string | number>>;

/** Escaped markup. */
export class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

/** @param children markup, or text that is escaped */
export function element(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly (Markup | string)[]
): Markup {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escape(format(value))}"`);
  const content = children.map((child) => (typeof child === "string" ? escape(child) : child.source));
  const start = `<${name}${written.join("")}`;
  return new Markup(children.length === 0 ? `${start}/>` : `${start}>${content.join("")}</${name}>`);
}

/** The text of an SVG file, with a background of its own, so that it can be placed on any page. Sizes are in pixels, rounded up. */
export function svgFile(width: number, height: number, title: string, children: readonly Markup[]): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    width: Math.ceil(width),
    height: Math.ceil(height),
    viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`,
    role: "img",
    "font-family": "system-ui, 'Noto Sans', 'DejaVu Sans', Arial, sans-serif",
    "font-size": fontSize,
    fill: ink,
  };
  const lines = [
    element("title", {}, title).source,
    backgroundSource,
    ...children.map(({ source }) => source),
  ];
  return `${element("svg", attributes, new Markup(`\n${lines.join("\n")}\n`)).source}\n`;
}

/** The background of a file. */
export const backgroundSource = '<rect width="100%" height="100%" fill="#ffffff"/>';

/** In pixels. */
export const fontSize = 13;
export const ink = "#222222";

/** Two decimals are a hundredth of a pixel. */
function format(value: string | number): string {
  return typeof value === "string" ? value : `${Math.round(value * 100) / 100}`;
}

const entities: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** XML 1.0 has no way to write the characters of the second replacement. */
function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[&<>"]/g, (character) => entities[character]!)
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}");
}
