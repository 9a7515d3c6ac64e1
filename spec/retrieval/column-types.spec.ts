import assert from "node:assert/strict";
import { ownColumns, restColumn } from "../../lib/retrieval/columns.ts";
import { ColumnTypes, parseField } from "../../lib/retrieval/column-types.ts";

describe("ColumnTypes", () => {
  it("widens types to hold every value", () => {
    const types = new ColumnTypes();
    types.add(Object.entries({ a: 1, b: 1, c: null, d: true, image_path: "x" }));
    types.add(Object.entries({ a: 2, b: 1.5, c: null, d: "no" }));
    assert.deepEqual(types.columns(), [
      ...ownColumns,
      { name: "a", type: "integer" },
      { name: "b", type: "number" },
      { name: "c", type: "text" },
      { name: "d", type: "text" },
      restColumn,
    ]);
  });
});

describe("parseField", () => {
  for (const [field, cell] of [
    ["", null],
    ["12", 12],
    ["-0.5e3", -500],
    ["007", "007"],
    ["1234567890123456", "1234567890123456"],
    ["true", true],
    ["True", "True"],
    ["1.", "1."],
  ] as const) {
    it(`reads ${JSON.stringify(field)} as ${JSON.stringify(cell)}`, () => {
      assert.equal(parseField(field), cell);
    });
  }
});
