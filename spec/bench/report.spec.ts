import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { InputError } from "../../lib/errors/input-error.ts";
import { fillIn } from "../../bench/report.ts";
import { readResult, type Result } from "../../bench/result.ts";
import { terminalTable, type Table } from "../../bench/table.ts";
import { temporaryFolder } from "../support/temporary.ts";

const table: Table = {
  id: "image",
  title: "image tower",
  columns: [
    { key: "program", title: "program" },
    { key: "rate", title: "images/s" },
    { key: "difference", title: "difference" },
  ],
  rows: [
    { program: "clipscope", rate: 12.345, difference: null },
    { program: "another", rate: 9996, difference: 6.54e-7 },
    { program: "a third", rate: 9.999, difference: 0 },
  ],
};

const result: Result = {
  machine: { processor: "A CPU", cores: 2, memory: 16e9, system: "linux", node: "20.0.0", load: 0.5 },
  arguments: ["--peers", "--python", "/somewhere/python"],
  programs: { PyTorch: "2.0" },
  tables: [table],
};

describe("the benchmark's tables", () => {
  const folder = temporaryFolder();

  it("are aligned on a terminal, with three digits", () => {
    assert.deepEqual(terminalTable(table).split("\n"), [
      "image tower",
      "  program    images/s  difference",
      "  clipscope      12.3",
      "  another        9996     6.54e-7",
      "  a third        10.0           0",
      "",
    ]);
  });

  it("take the place of those in the document, and nothing else", async () => {
    const page = "# Title\n\n<!-- bench:image -->\n\nold\n\n<!-- /bench -->\n\nBelow.\n";
    const filled = await fillIn(page, [result]);
    assert.match(filled, /^# Title\n\n<!-- bench:image -->\n\nImage tower:\n\n\| program {3}\|/);
    assert.match(filled, /\| clipscope \| +12\.3 \| +\|\n/);
    assert.match(filled, /\n\n<!-- \/bench -->\n\nBelow\.\n$/);
    assert.equal(await fillIn(filled, [result]), filled);
  });

  it("are the last result's where several have them", async () => {
    const later = { ...result, tables: [{ ...table, rows: [{ program: "later", rate: 1, difference: 2 }] }] };
    const filled = await fillIn("<!-- bench:image -->\n<!-- /bench -->\n", [result, later]);
    assert.match(filled, /\| later/);
    assert.doesNotMatch(filled, /\| clipscope/);
  });

  it("say on what they were measured, without the paths of one machine", async () => {
    const filled = await fillIn("<!-- bench:machine -->\n<!-- /bench -->\n", [result]);
    assert.match(
      filled,
      /`npm run bench -- --peers --python …` on A CPU, 2 cores, 16 GB, Node 20\.0\.0, load 0\.5\./,
    );
    assert.match(filled, /- PyTorch: 2\.0/);
    assert.doesNotMatch(filled, /somewhere/);
  });

  it("are refused where the result lacks one, or is none", async () => {
    await assert.rejects(
      fillIn("<!-- bench:text -->\n<!-- /bench -->\n", [result]),
      (error) =>
        error instanceof InputError && /no result has the table "text", only image/.test(error.message),
    );
    writeFileSync(folder.file("other.json"), "{}");
    assert.throws(() => readResult(folder.file("other.json")), /other\.json: expected a result/);
    assert.throws(() => readResult(folder.file("missing.json")), /missing\.json: expected a result/);
  });
});
