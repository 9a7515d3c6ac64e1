import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { benchmarkCsv } from "../../../lib/eval/report/csv.ts";
import { readRecord } from "../../../lib/eval/report/read-record.ts";
import { fixture } from "../../support/paths.ts";

/** Fields of a CSV file, by column. */
function parse(csv: string): Record<string, string>[] {
  const lines = csv.split("\r\n").filter((line) => line !== "");
  const [names = [], ...rows] = lines.map((line) =>
    [...`${line},`.matchAll(/(?:"((?:[^"]|"")*)"|([^",]*)),/g)].map(
      ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!,
    ),
  );
  return rows.map((row) => Object.fromEntries(names.map((name, i) => [name, row[i]!])));
}

const result = {
  dataset: "d",
  model: "m",
  pretrained: "p",
  task: "zeroshot_classification",
  language: "en",
} as const;

describe("benchmarkCsv", () => {
  it("has the fields of the file that CLIP_benchmark builds from the same results", async () => {
    const folder = fixture("eval/clip-benchmark");
    const files = (await readdir(folder)).filter((name) => name.endsWith(".json")).sort();
    const records = await Promise.all(
      files.map(async (name) => readRecord(await readFile(`${folder}/${name}`, "utf8"), name)),
    );
    assert.equal(records.length, 5);
    const golden = parse(await readFile(`${folder}/benchmark.csv`, "utf8"));
    // pandas reads an empty field and "nan" alike.
    for (const row of golden) if (row["acc5"] === "nan") row["acc5"] = "";
    assert.deepEqual(parse(benchmarkCsv(records)), golden);
  });

  it("has a fixed order of columns, recall@5 before recall@10, and a line break of Windows", () => {
    const metrics = {
      "text_retrieval_recall@10": 1,
      "text_retrieval_recall@5": 0.5,
      "image_retrieval_recall@5": 0,
    };
    const csv = benchmarkCsv([
      { ...result, task: "zeroshot_retrieval", metrics, partial: true },
      { ...result, metrics: { acc1: 0.25, acc5: null } },
    ]);
    assert.equal(
      csv,
      "acc1,acc5,image_retrieval_recall@5,text_retrieval_recall@5,text_retrieval_recall@10,dataset,model,pretrained,task,language,partial,model_fullname\r\n" +
        ",,0,0.5,1,d,m,p,zeroshot_retrieval,en,True,m p\r\n" +
        "0.25,,,,,d,m,p,zeroshot_classification,en,,m p\r\n",
    );
  });

  it("writes lists and prompts by class as Python does, and quotes them", () => {
    const csv = benchmarkCsv([
      {
        ...result,
        metrics: { acc1: 1 },
        classnames: ["it's", 'a "b"', `'"\\\n`],
        templates: { "it's": ["x"], none: [] },
      },
    ]);
    const [row] = parse(csv);
    assert.equal(row!["classnames"], `["it's", 'a "b"', '\\'"\\\\\\n']`);
    assert.equal(row!["templates"], `{"it's": ['x'], 'none': []}`);
  });
});
