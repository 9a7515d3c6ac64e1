import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { InputError } from "../../lib/errors/input-error.ts";
import { fillIn } from "../../bench/report.ts";
import { readResult, type Result } from "../../bench/result.ts";
import { scaleCommands } from "../../bench/sections/scale.ts";
import { summaryTable } from "../../bench/summary.ts";
import { markdownTable, terminalTable, type Row, type Table } from "../../bench/table.ts";
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

const tensorflow = "clipscope, tensorflow";

/** The rows of every table that the summary reads, one program each. */
const rows: Readonly<Record<string, readonly Row[]>> = {
  image: [1, 8].flatMap((batch) => [
    { program: tensorflow, batch, milliseconds: 1234.5 * batch, share: 90, difference: 1e-6 },
    { program: "onnxruntime", batch, milliseconds: 1500 * batch, share: 80, difference: 1e-6 },
    { program: "onnxruntime-node", batch, milliseconds: 1600 * batch, share: 70, difference: 1e-6 },
  ]),
  text: [
    [1, 16],
    [1, 77],
    [32, 16],
    [32, 32],
    [32, 77],
  ].map(([batch, tokens]) => ({ program: "PyTorch", batch: batch!, tokens: tokens!, milliseconds: tokens! })),
  captions: ["natural", "stretched"].map((length) => ({ program: tensorflow, length, perSecond: 1 })),
  memory: ["resident", "streamed"].map((residency) => ({
    program: tensorflow,
    dtype: "F32",
    residency,
    above: 1,
    aboveLarge: 2,
    seconds: 3,
  })),
  load: ["F32", "F16"].map((dtype) => ({ program: tensorflow, dtype, reading: 1, loading: 2 })),
  cold: ["classify", "embed, F32", "embed, F16"].map((what) => ({
    program: "clipscope, wasm",
    what,
    seconds: 1,
    gigabytes: 2,
  })),
  preprocess: ["one thread", null].map((variant) => ({ program: "clipscope", variant, perSecond: 1 })),
  throughput: [{ program: "clipscope, wasm", single: 1, many: 2, memory0: 3, memory1: 4 }],
  scale: scaleCommands.map((command) => ({ program: tensorflow, command, few: 230, many: 231 })),
  tokenizer: [{ program: "tokenizers", perSecond: 1 }],
  probe: [{ program: "scikit-learn", seconds: 1, memory: 2 }],
  "probe-evaluation": [{ program: tensorflow, seconds: 1, product: 2, megabytes: 3 }],
};

const result: Result = {
  machine: { processor: "A CPU", cores: 2, memory: 16e9, system: "linux", node: "20.0.0", load: 0.5 },
  arguments: ["--peers", "--python", "/somewhere/python"],
  programs: { PyTorch: "2.0", Pillow: "12" },
  tables: Object.entries(rows).map(([id, all]) => ({ id, title: id, columns: [], rows: all })),
};

describe("the benchmark's tables", () => {
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

  it("align numbers to the right in Markdown", () => {
    assert.deepEqual(markdownTable(table).split("\n").slice(0, 3), [
      "| program | images/s | difference |",
      "| --- | ---: | ---: |",
      "| clipscope | 12.3 |  |",
    ]);
  });
});

describe("the benchmark's summary", () => {
  it("has a row per measurement and a column per program, with the other programs in one", () => {
    const { rows: summary } = summaryTable([result]);
    const image = summary.find(({ title }) => title === "image tower, 1 image");
    assert.deepEqual(image, {
      title: "image tower, 1 image",
      unit: "ms",
      clipscope: 1234.5,
      others: "onnxruntime 1500, onnxruntime-node 1600",
      section: "towers",
    });
    const text = summary.find(({ title }) => title === "text tower, 32 texts of 77 tokens");
    assert.deepEqual(text, { title: text?.["title"], unit: "ms", pytorch: 77, section: "towers" });
  });

  it("takes a table from the last result that has it", () => {
    const image: Table = { ...table, rows: rows["image"]!.slice(0, 4).map((row) => ({ ...row, share: 50 })) };
    const later: Result = { ...result, tables: [image] };
    const { rows: summary } = summaryTable([result, later]);
    const share = summary.find(({ title }) => title === "share of the matrix rate, 1 image");
    assert.deepEqual([share?.["clipscope"], share?.["others"]], [50, "onnxruntime 50, onnxruntime-node 50"]);
    assert.equal(summary.length, summaryTable([result]).rows.length);
  });

  it("lists the measurements that no result has", () => {
    const without = { ...result, tables: result.tables.filter(({ id }) => id !== "tokenizer") };
    assert.throws(
      () => summaryTable([without]),
      (error) =>
        error instanceof InputError &&
        /^1 of \d+ measurements are in none of the result files; run ".* --only tokenizer"/.test(
          error.message,
        ) &&
        error.details.join() === "tokenize captions",
    );
  });
});

describe("the benchmark's report", () => {
  const folder = temporaryFolder();

  it("fills in the summary and leaves the rest of the page alone", async () => {
    const page = "# Title\n\n<!-- bench:summary -->\n\nold\n\n<!-- /bench -->\n\nBelow.\n";
    const filled = await fillIn(page, [result]);
    assert.match(filled, /^# Title\n\n<!-- bench:summary -->\n\n\| measurement +\| unit/);
    assert.match(filled, /\| image tower, 8 images +\| ms +\| +9876 \|/);
    assert.match(filled, /\n\n<!-- \/bench -->\n\nBelow\.\n$/);
    assert.equal(await fillIn(filled, [result]), filled);
  });

  it("fills in a table by its id, from the last result that has it", async () => {
    const older = { ...result, tables: [{ ...table, rows: [] }] };
    const newer = { ...result, tables: [table] };
    const page = `<!-- bench:table ${table.id} -->\n<!-- /bench -->\n`;
    const filled = await fillIn(page, [older, result, newer]);
    assert.match(filled, /\n\| program +\| +images\/s \| +difference \|\n/);
    assert.match(filled, /\n\| a third +\| +10\.0 \| +0 \|\n/);
    await assert.rejects(
      fillIn(page.replace(table.id, "none"), [result]),
      /InputError: the table none is in none of/,
    );
  });

  it("names commands, machines and versions, without the paths of one machine", async () => {
    const filled = await fillIn("<!-- bench:runs -->\n<!-- /bench -->\n", [result]);
    const text = filled.replace(/\s+/g, " ");
    assert.match(
      text,
      /- `npm run bench -- --peers --python …` on A CPU, 2 cores, 16 GB, Node 20\.0\.0, load 0\.5\. PyTorch: 2\.0; Pillow: 12\./,
    );
    assert.doesNotMatch(filled, /somewhere/);
  });

  it("refuses unknown markers and files that are not results", async () => {
    await assert.rejects(
      fillIn("<!-- bench:text -->\n<!-- /bench -->\n", [result]),
      /InputError: unknown marker "bench:text"/,
    );
    writeFileSync(folder.file("other.json"), "{}");
    assert.throws(() => readResult(folder.file("other.json")), /other\.json: expected a result/);
    assert.throws(() => readResult(folder.file("missing.json")), /missing\.json: expected a result/);
  });
});
