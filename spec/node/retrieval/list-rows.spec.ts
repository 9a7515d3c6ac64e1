import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { listRows, type ListOptions } from "../../../lib/node/retrieval/list-rows.ts";
import type { ListFormat } from "../../../lib/node/retrieval/sources.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("listRows", () => {
  const folder = temporaryFolder();

  async function read(format: ListFormat, content: string, options: ListOptions = {}): Promise<unknown[]> {
    const path = folder.file(`list${format}`);
    await writeFile(path, content);
    const rows: unknown[] = [];
    for await (const { path: image, cells } of listRows(path, format, options))
      rows.push({ image, ...Object.fromEntries(cells) });
    return rows;
  }

  for (const [format, content] of [
    [".csv", '\uFEFFpath,text,w\na.png,"one, two",3\n7,,\n'],
    [".tsv", "path\ttext\tw\na.png\tone, two\t3\n7\t\t\n"],
    [".jsonl", '{"path":"a.png","text":"one, two","w":3}\n\n{"path":"7","text":"","w":null}\n'],
  ] as const) {
    it(`reads ${format}`, async () => {
      assert.deepEqual(await read(format, content), [
        { image: "a.png", caption: "one, two", w: 3 },
        { image: "7", caption: "", w: null },
      ]);
    });
  }

  it("reads paths, one a line", async () => {
    assert.deepEqual(await read(".txt", "a b.png\r\nc.png"), [{ image: "a b.png" }, { image: "c.png" }]);
  });

  it("takes the columns that are named", async () => {
    const content = "path,file,title\nx,a.png,t\n";
    assert.deepEqual(await read(".csv", content, { pathColumn: "file", captionColumn: "title" }), [
      { image: "a.png", path: "x", caption: "t" },
    ]);
  });

  for (const [what, format, content, message] of [
    ["a list without paths", ".csv", "a,b\n1,2\n", /no column of image paths; name it with --path-column$/],
    [
      "a row without a path",
      ".jsonl",
      '{"path":"a"}\n{"path":null}\n',
      /row 2: expected the path .*found null$/,
    ],
    ["a row with more fields", ".csv", "path,w\na,1,2\n", /row 2: expected 2 fields, found 3$/],
    ["a line that is no JSON", ".jsonl", "{]\n", /line 1: not valid JSON/],
    ["an empty list", ".txt", "", /expected at least one image, found an empty list$/],
    ["another file", ".parquet", "not parquet", /not a readable parquet file/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(read(format, content), { name: "InputError", message });
    });
  }
});
