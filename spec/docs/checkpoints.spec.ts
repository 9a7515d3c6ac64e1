import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { rerunExamples } from "../support/console-blocks.ts";
import { packageRoot } from "../support/paths.ts";

describe("docs/reference/checkpoints.md", () => {
  it("shows what the commands print (UPDATE_DOCS=1 rewrites it)", async () => {
    const path = `${packageRoot}docs/reference/checkpoints.md`;
    const page = await readFile(path, "utf8");
    const now = await rerunExamples(page);
    if (process.env["UPDATE_DOCS"] === "1") await writeFile(path, now);
    else assert.equal(now, page);
  });
});
