import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { rerunExamples } from "../support/console-blocks.ts";
import { packageRoot } from "../support/paths.ts";

const number = /-?\d+(\.\d+)?(e[-+]?\d+)?/g;

for (const name of ["README.md", "docs/reference/command-line.md", "docs/real-weights.md"]) {
  describe(name, () => {
    it("shows what the commands print (UPDATE_DOCS=1 rewrites it)", async () => {
      const path = `${packageRoot}${name}`;
      const page = await readFile(path, "utf8");
      const now = await rerunExamples(page);
      if (process.env["UPDATE_DOCS"] === "1") await writeFile(path, now);
      // Backends differ in the last digits.
      else assert.deepEqual(rounded(now), rounded(page));
    });
  });
}

function rounded(page: string): string[] {
  return page.replace(number, (digits) => Number(digits).toPrecision(3)).split("\n");
}
