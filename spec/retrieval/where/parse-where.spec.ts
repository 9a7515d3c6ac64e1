import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../../lib/errors/input-error.ts";
import { noBoolean, noText, type Column } from "../../../lib/retrieval/columns.ts";
import { columnsOf, evaluateWhere } from "../../../lib/retrieval/where/evaluate-where.ts";
import { parseWhere } from "../../../lib/retrieval/where/parse-where.ts";

const columns = new Map<string, Column>([
  ["width", { type: "integer", values: Float64Array.of(100, 512, 1024, NaN) }],
  ["score", { type: "number", values: Float64Array.of(-0.5, 0, 0.25, 1e-3) }],
  [
    "caption",
    { type: "text", dictionary: ["a Dog.", "it's", "100%_x"], codes: Uint32Array.of(0, 1, noText, 2) },
  ],
  ["json.nsfw", { type: "boolean", values: Uint8Array.of(1, 0, noBoolean, 0) }],
  ["two words", { type: "text", dictionary: ["x"], codes: Uint32Array.of(0, 0, noText, noText) }],
]);
const rows = 4;

/** The rows that fulfil a condition. */
function matches(expression: string): number[] {
  const bits = evaluateWhere(parseWhere(expression), expression, columns, rows);
  return Array.from({ length: rows }, (_, row) => row).filter((row) => (bits[row >> 3]! >> (row & 7)) & 1);
}

describe("Filter expressions", () => {
  const examples: readonly (readonly [string, readonly number[]])[] = [
    ["width >= 512", [1, 2]],
    ["width<>512", [0, 2]],
    ["width != 512 or score = 1e-3", [0, 2, 3]],
    ["NOT width = 512", [0, 2]],
    ["width IS NULL", [3]],
    ["width is not null and score < .1", [0, 1]],
    ["score BETWEEN -1 AND 0", [0, 1]],
    ["score NOT BETWEEN -1 AND 0", [2, 3]],
    ["caption = 'it''s'", [1]],
    ["caption LIKE 'a %'", [0]],
    ["caption LIKE 'A%'", []],
    ["caption ILIKE 'a dog_'", [0]],
    ["caption LIKE '100\\%\\__'", [3]],
    ["caption NOT LIKE '%o%'", [1, 3]],
    ["caption IN ('it''s', 'a Dog.')", [0, 1]],
    ["width NOT IN (100, 512)", [2]],
    ["json.nsfw", [0]],
    ["NOT json.nsfw", [1, 3]],
    ["json.nsfw = FALSE", [1, 3]],
    ["\"two words\" = 'x'", [0, 1]],
    ["width > 100 AND score >= 0 OR caption = 'a Dog.'", [0, 1, 2]],
    ["width > 100 AND (score > 0 OR caption = 'a Dog.')", [2]],
    // null = 1 is unknown, and so is its negation; unknown OR true is true.
    ["width = 1 OR NOT width = 1 OR score = 1e-3", [0, 1, 2, 3]],
    ["width = 1 OR NOT width = 1", [0, 1, 2]],
  ];
  for (const [expression, expected] of examples) {
    it(expression, () => {
      deepStrictEqual(matches(expression), expected);
    });
  }

  const mistakes: readonly (readonly [expression: string, at: number, reason: RegExp])[] = [
    ["width >", 8, /expected a number, a text in single quotes, TRUE or FALSE, found the end/],
    ["width > 5 6", 11, /expected AND, OR or the end, found 6/],
    ["(width > 5", 11, /expected \), found the end/],
    ["width > 'x'", 9, /expected a number for the column width, found x/],
    ["caption = 5", 11, /expected a text in single quotes for the column caption, found 5/],
    ["caption = 'x", 11, /the quote ' is not closed/],
    ["width ; 5", 7, /expected a column, a value or an operator, found ;/],
    ["width = NULL", 9, /use IS NULL/],
    ["width", 6, /expected an operator after width/],
    ["width LIKE '5%'", 1, /expected a column of texts, found width \(integer\)/],
    ["AND", 1, /expected a column, found AND/],
    ["", 1, /expected a column, found the end/],
    ["json.nsfw < TRUE", 13, /expected = or <>/],
  ];
  for (const [expression, at, reason] of mistakes) {
    it(`points at the mistake in: ${expression}`, () => {
      throws(
        () => matches(expression),
        (error) => {
          if (!(error instanceof InputError)) throw error;
          strictEqual(/at character (\d+)$/.exec(error.message)?.[1], `${at}`, error.message);
          deepStrictEqual(error.details, [expression, `${" ".repeat(at - 1)}^`]);
          return reason.test(error.message);
        },
      );
    });
  }

  it("refuses a condition that is nested too deeply, without a stack overflow", () => {
    throws(() => parseWhere("(".repeat(100_000)), /at most 100 nested/);
    throws(() => parseWhere(`${"NOT ".repeat(100_000)}a`), InputError);
  });

  it("gives a filter or one line for any text", () => {
    const part = fc.constantFrom(
      "width",
      "(",
      ")",
      "AND",
      "NOT",
      "IN",
      "'",
      "%",
      "5",
      "<=",
      ",",
      "LIKE",
      "é",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join(" ")),
        ),
        (text) => {
          try {
            columnsOf(parseWhere(text));
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
