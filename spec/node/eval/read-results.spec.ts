import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import type { PublishedFigure } from "../../../lib/eval/published.ts";
import { readResults } from "../../../lib/node/eval/read-results.ts";
import { evaluationWith, resultWith } from "../../support/evaluation-details.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const { record } = resultWith();
const source = { name: "s", url: "", about: "", precision: "", decimals: 4, tolerance: 0.002 };
const published: PublishedFigure[] = [
  {
    model: "m",
    pretrained: "p",
    dataset: "x",
    language: "en",
    metric: "acc1",
    value: 0.6,
    decimals: 4,
    source,
  },
];

describe("readResults", () => {
  const folder = temporaryFolder();

  it("reads results in the order of their names, with details where there are any", async () => {
    const evaluation = evaluationWith({ kind: "selection", instances: 1, wrong: [] });
    await writeFile(folder.file("b.json"), JSON.stringify(record));
    await writeFile(folder.file("a.json"), JSON.stringify({ ...record, partial: true }));
    await writeFile(folder.file("benchmark.csv"), "");
    await mkdir(folder.file("details"));
    await writeFile(folder.file("details/b.json"), JSON.stringify(evaluation));
    const results = await readResults(folder.file("."), published);
    assert.deepEqual(
      results.map((result) => [
        result.file,
        result.evaluation,
        result.comparisons.map(({ verdict }) => verdict),
      ]),
      [
        ["a.json", null, []],
        // 2 of 4 images are more than the difference.
        ["b.json", evaluation, ["match"]],
      ],
    );
  });

  it("compares with another tolerance", async () => {
    await writeFile(folder.file("a.json"), JSON.stringify(record));
    const verdict = async (tolerance?: number): Promise<string> =>
      (await readResults(folder.file("."), published, tolerance))[0]!.comparisons[0]!.verdict;
    assert.deepEqual([await verdict(), await verdict(0.1)], ["differs", "match"]);
  });

  it("refuses a folder without results, and other JSON files", async () => {
    await assert.rejects(readResults(folder.file("."), []), /expected JSON files of results, found none/);
    await assert.rejects(readResults(folder.file("none"), []), /none: no such file or folder/);
    await writeFile(folder.file("x.json"), "{}");
    await assert.rejects(readResults(folder.file("."), []), /x\.json: expected metrics to be an object/);
  });
});
