/** Pages of HTML: everything that is inserted is escaped, except what this made. */

/** Escaped HTML. */
export class Html {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

type Inserted = Html | string | number | readonly Html[];

/** A template of HTML: texts and numbers are escaped, for use between tags and in quoted attributes. */
export function html(parts: TemplateStringsArray, ...values: readonly Inserted[]): Html {
  return new Html(parts.map((part, i) => part + (i < values.length ? insert(values[i]!) : "")).join(""));
}

/** Nothing. */
export const empty = new Html("");

function insert(value: Inserted): string {
  if (value instanceof Html) return value.source;
  if (typeof value === "object") return value.map(({ source }) => source).join("");
  return escape(String(value));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.toWellFormed().replace(/[&<>"']/g, (character) => entities[character]!);
}
