import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { clipscope, type Result } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const data = fixture("eval/webdatasets");

describe("clipscope eval report", () => {
  const folder = temporaryFolder();
  const evaluate = (...args: string[]): Promise<Result> =>
    clipscope([
      "eval",
      ...args,
      "--data",
      `${data}/{dataset}`,
      "--out",
      folder.file("out"),
      "--features",
      folder.file("features"),
    ]);
  const report = (...args: string[]): Promise<Result> => clipscope(["eval", "report", ...args]);

  it("writes results that equal CLIP_benchmark's as its CSV file, and a page", async () => {
    const recalls = ["1", "5", "10"].flatMap((k) => ["--recall-k", k]);
    const first = await evaluate("wds/shapes", "wds/tags", "wds/captions", "wds/colours", ...recalls);
    assert.deepEqual([first.status, first.stderr], [0, ""]);
    const italian = [
      ...["--classnames", `${data}/italian_names.json`, "--templates", `${data}/italian_templates.json`],
      ...["--dump-classnames", "--dump-templates"],
    ];
    assert.equal((await evaluate("wds/colours", "--language", "it", ...italian)).status, 0);

    const csv = folder.file("golden.csv");
    const html = folder.file("golden.html");
    assert.equal((await report(fixture("eval/clip-benchmark"), "--csv", csv, "--html", html)).status, 0);
    const { status, stdout } = await report(folder.file("out"));
    const [table, page] = [folder.file("out/benchmark.csv"), folder.file("out/report.html")];
    assert.deepEqual([status, stdout], [0, `5 results: ${table}, ${page}\n`]);
    assert.equal(await readFile(table, "utf8"), await readFile(csv, "utf8"));

    const source = await readFile(page, "utf8");
    for (const text of [
      "Confusion matrix of 6 classes",
      "wds/colours: acc1",
      "Captions whose image is furthest behind",
    ]) {
      assert.ok(source.includes(text), text);
    }
    assert.ok(source.includes('<img src="data:image/png;base64,'));
    assert.deepEqual(
      (await readdir(folder.file("out"))).filter((name) => !name.endsWith(".json")),
      ["benchmark.csv", "details", "report.html"],
    );
  });

  it("reads CLIP_benchmark's own results, and says where it wrote", async () => {
    const [csv, html] = [folder.file("b.csv"), folder.file("p.html")];
    const { stdout } = await report(fixture("eval/clip-benchmark"), "--csv", csv, "--html", html, "--json");
    assert.deepEqual(JSON.parse(stdout), { results: 5, csv, html });
  });

  it("refuses folders without results, and options of eval", async () => {
    const none = await report(folder.file("."));
    assert.deepEqual([none.status, none.stdout], [2, ""]);
    assert.match(none.stderr, /expected JSON files of results, found none; write some with "eval --out"\n$/);
    const limit = await report(fixture("eval/clip-benchmark"), "--limit", "3");
    assert.deepEqual([limit.status, limit.stderr], [2, "clipscope: eval report has no option --limit\n"]);
  });
});
