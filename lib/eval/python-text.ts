/**
 * Python's `str.splitlines()`.
 *
 * Lines end at \n, \r\n, \r, \v, \f, \x1c, \x1d, \x1e, \x85, U+2028 and U+2029. An empty line counts; a line break at the
 * end adds no line. Nothing is trimmed.
 */
export function splitLines(text: string): string[] {
  // eslint-disable-next-line no-control-regex -- three of Python's line breaks are control characters
  const lines = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/u);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** As a file that Python opens as text: its "\r\n" and "\r" become "\n". */
export function universalNewlines(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

/** The characters of which Python's `str.isspace()` is true. */
const spaces = String.raw`[\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+`;
const outerSpaces = new RegExp(`^${spaces}|${spaces}$`, "g");

/** Python's `str.strip()`. Unlike JavaScript's `trim`, it takes \x1c–\x1f and \x85, and leaves U+FEFF. */
export function strip(text: string): string {
  return text.replace(outerSpaces, "");
}
