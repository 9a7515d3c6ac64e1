import assert from "node:assert/strict";
import { noText, type Column } from "../../../lib/retrieval/columns.ts";
import { columnsIn, parseWhere } from "../../../lib/retrieval/where/expression.ts";
import { matchingRows } from "../../../lib/retrieval/where/matching-rows.ts";

const columns = new Map<string, Column>([
  ["width", { type: "integer", values: Float64Array.of(64, 512, NaN, 1024) }],
  ["NSFW", { type: "text", dictionary: ["UNLIKELY", "it's 100%"], codes: Uint32Array.of(0, 1, noText, 0) }],
  ["exif.ok", { type: "boolean", values: Uint8Array.of(1, 0, 2, 1) }],
]);

function match(where: string): number[] {
  const matches = matchingRows(parseWhere(where), columns, 4);
  return [...matches.keys()].filter((row) => matches[row] === 1);
}

describe("matchingRows", () => {
  for (const [where, rows] of [
    ["width >= 512 AND NSFW = 'UNLIKELY'", [3]],
    ["width < 100 or width > 1000", [0, 3]],
    ["NOT width = 64", [1, 3]],
    ["width IS NULL", [2]],
    ["width IS NOT NULL AND NOT (exif.ok = true)", [1]],
    ['"exif.ok" = FALSE', [1]],
    ["NSFW IN ('x', 'it''s 100%')", [1]],
    ["NSFW NOT IN ('x', 'it''s 100%')", [0, 3]],
    ["NSFW LIKE 'UN%_Y'", [0, 3]],
    ["NSFW LIKE '%100\\%'", []],
    ["NSFW LIKE 'unlikely'", []],
    ["NSFW LIKE 'a-b/c.(d)[e]{1}^$|+?*\\'", []],
    ["width != 64 OR NSFW = 'UNLIKELY' AND width = 64", [0, 1, 3]],
    ["width <> 1.5e1", [0, 1, 3]],
    // Unknown, as in SQL: a null is neither equal nor different.
    ["NOT (width = 64 OR NSFW = 'UNLIKELY')", [1]],
  ] as const) {
    it(where, () => {
      assert.deepEqual(match(where), rows);
    });
  }

  for (const [where, message] of [
    ["width = '64'", /the column "width" is compared with a number, found "64"/],
    ["NSFW = 1", /is compared with a text between single quotes, found 1/],
    ["width", /expected =, !=, <, .* IN, LIKE or IS, found the end/],
    ["width > 1 NSFW", /expected AND, OR or the end, found "NSFW"/],
    ["(width > 1", /expected \), found the end/],
    ["width > ; DROP", /expected a column, a value or an operator, found "; DROP"/],
    ["", /expected the name of a column, found the end/],
    [`${"(".repeat(100)}width > 1`, /expected at most 50 levels/],
  ] as const) {
    it(`refuses ${JSON.stringify(where.slice(0, 20))}`, () => {
      assert.throws(() => match(where), { name: "InputError", message });
    });
  }

  it("names its columns", () => {
    assert.deepEqual([...columnsIn(parseWhere("a = 1 AND NOT (b = 2 OR a = 3)"))], ["a", "b"]);
  });
});
