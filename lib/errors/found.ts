/** The end of an error message: what was found where something else was expected. */

const longestText = 40;

/** A value in a few words: `the text "a cat"`, `a list of 3`, `an Int32Array`, `undefined`. */
export function found(value: unknown): string {
  switch (typeof value) {
    case "string":
      return `the text ${JSON.stringify(value.length > longestText ? `${value.slice(0, longestText)}…` : value)}`;
    case "number":
    case "bigint":
      return `the number ${value}`;
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : foundObject(value);
    default:
      return `a ${typeof value}`;
  }
}

function foundObject(value: object): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  const { constructor } = value as { readonly constructor?: unknown };
  const name = typeof constructor === "function" ? constructor.name : "";
  if (name === "" || name === "Object") return "an object";
  return name === "Promise" ? "a Promise; await it" : `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name}`;
}
