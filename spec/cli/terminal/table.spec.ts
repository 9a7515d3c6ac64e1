import assert from "node:assert/strict";
import { layOutFields, layOutTable } from "../../../cli/terminal/table.ts";

describe("layOutTable", () => {
  const columns = [
    { title: "name", cut: "end" },
    { title: "size", align: "right" },
    { title: "note", optional: true },
  ] as const;
  const rows = [
    ["a long name", "5", "old"],
    ["猫", "1234", ""],
  ];

  it("aligns columns, and counts wide characters as two", () => {
    assert.deepEqual(layOutTable(columns, rows), {
      head: "name         size  note",
      rows: ["a long name     5  old", "猫           1234"],
      leftOut: [],
    });
  });

  it("leaves optional columns out of a narrow table first, then cuts texts", () => {
    const { rows: fitting, leftOut } = layOutTable(columns, rows, { width: 20 });
    assert.deepEqual([fitting, leftOut], [["a long name     5", "猫           1234"], [2]]);
    const { head, rows: cut } = layOutTable(columns, rows, { width: 16 });
    assert.deepEqual([head, ...cut], ["name        size", "a long na…     5", "猫          1234"]);
    const fromStart = layOutTable([{ cut: "start" }, {}], [["tower.block.mlp", "x"]], { width: 12 });
    assert.deepEqual(fromStart.rows, ["…lock.mlp  x"]);
  });

  it("prints the last cell of a short row unchanged, and no empty columns", () => {
    const { rows: lines } = layOutTable(
      [{}, {}, { align: "right" }],
      [
        ["", "a", "1"],
        ["", "missing on one side"],
        ["", "b", "23"],
      ],
    );
    assert.deepEqual(lines, ["a   1", "missing on one side", "b  23"]);
  });

  it("lays out names and values", () => {
    assert.deepEqual(layOutFields([["source", "a.pt"], ["  a detail of any length"], ["to", "b"]]), [
      "source  a.pt",
      "  a detail of any length",
      "to      b",
    ]);
  });
});
