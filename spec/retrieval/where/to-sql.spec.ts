import assert from "node:assert/strict";
import { parseWhere } from "../../../lib/retrieval/where/parse-where.ts";
import { whereToSql, type SqlColumn } from "../../../lib/retrieval/where/to-sql.ts";

const columns = new Map<string, SqlColumn>([
  ["width", { field: "width", type: "integer" }],
  ["score", { field: "score", type: "number" }],
  ["caption", { field: "caption", type: "text" }],
  ["kind.photo", { field: "kind_photo", type: "number" }],
  ["ok", { field: "ok", type: "boolean" }],
]);

const sqlOf = (condition: string): string => whereToSql(parseWhere(condition), condition, columns);

describe("whereToSql", () => {
  for (const [condition, sql] of [
    ["width >= 512", "(`width` >= 512)"],
    ["width >= 512.5", "(CAST(`width` AS DOUBLE) >= 512.5)"],
    ["width IN (1, 2)", "(`width` IN (1, 2))"],
    ["score <> -1e-3", "(`score` <> -0.001)"],
    ["score < 1e300", "(`score` < 1e+300)"],
    ["caption = 'it''s `x`'", "(`caption` = 'it''s `x`')"],
    ["caption NOT LIKE '%a\\_b''%'", "(NOT (`caption` LIKE '%a\\_b''%'))"],
    ["caption ILIKE 'A%'", "(`caption` ILIKE 'A%')"],
    ["kind.photo > 0.5 AND ok", "((`kind_photo` > 0.5) AND `ok`)"],
    ["ok = FALSE OR caption IS NOT NULL", "((`ok` = FALSE) OR (NOT (`caption` IS NULL)))"],
    ["width BETWEEN 1 AND 2", "((`width` >= 1) AND (`width` <= 2))"],
  ] as const) {
    it(`writes ${condition}`, () => {
      assert.equal(sqlOf(condition), sql);
    });
  }

  for (const [condition, message] of [
    ["NSFW = 'x'", /expected a column of the table \(width, score, .*found NSFW, at character 1/],
    ["width = 'x'", /expected a number for the column width, found x, at character 9/],
    ["caption", /expected a condition, found the column caption \(text\)/],
    ["width LIKE '1%'", /expected a column of texts, found width \(integer\)/],
  ] as const) {
    it(`refuses ${condition}`, () => {
      assert.throws(() => sqlOf(condition), { name: "InputError", message });
    });
  }
});
