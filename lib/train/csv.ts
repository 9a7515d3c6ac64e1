/**
 * Reads CSV: fields between separators, which may be quoted; a quote inside a quoted field is doubled.
 *
 * Format: RFC 4180, with any one character as separator. Source: pandas.read_csv with its default quoting.
 */

/** The rows of a text that arrives in pieces. Blank lines are skipped. */
export async function* csvRows(
  pieces: AsyncIterable<string> | Iterable<string>,
  separator: string,
): AsyncGenerator<string[], void, undefined> {
  let row: string[] = [];
  let field = "";
  let state: "start" | "plain" | "quoted" | "quote" = "start"; // "quote": behind a quote in a quoted field
  const endField = (): void => {
    row.push(field);
    field = "";
    state = "start";
  };
  const endRow = (): string[] | null => {
    const isBlank = row.length === 0 && field === "" && state !== "quote";
    endField();
    const ended = row;
    row = [];
    return isBlank ? null : ended;
  };
  let previous = "";
  for await (const piece of pieces) {
    for (const character of piece) {
      const isSecondOfBreak = character === "\n" && previous === "\r";
      previous = character;
      if (state === "quoted") {
        if (character === '"') state = "quote";
        else field += character;
      } else if (state === "quote" && character === '"') {
        field += character;
        state = "quoted";
      } else if (character === separator) {
        endField();
      } else if (character === "\n" || character === "\r") {
        const ended = isSecondOfBreak ? null : endRow();
        if (ended) yield ended;
      } else if (state === "start" && character === '"') {
        state = "quoted";
      } else {
        field += character;
        state = "plain";
      }
    }
  }
  const ended = endRow();
  if (ended) yield ended;
}
