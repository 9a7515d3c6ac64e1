/**
 * Wrong use or bad input: an error that the user can fix. Any other error is a bug in this program.
 *
 * `message` is one line: what is wrong and where, what was expected and found, and what to do. `details` is for the few
 * cases where a list helps (tensor names); the command line prints it indented.
 */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = [], options?: ErrorOptions) {
    super(oneLine(message), options);
    this.details = details.map(oneLine);
  }
}

/** Characters of a line, at most. The end of a message says what to do, so a long one loses its middle. */
const longestLine = 1000;
const keptEnd = 300;

/** Names from a damaged file may be endless, or contain line breaks or terminal escape codes. */
function oneLine(text: string): string {
  const line = text.replace(
    /\p{Cc}/gu,
    (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  if (line.length <= longestLine) return line;
  return `${line.slice(0, longestLine - keptEnd - 1)}…${line.slice(-keptEnd)}`;
}
