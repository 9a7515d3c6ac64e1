import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { globSync } from "tinyglobby";
import { packageRoot } from "../support/paths.ts";

const block = /^```(?:ts|js)\n(.*?)^```$/gms;
const imported = /import \{([^}]+)\} from "(clipscope(?:\/\w+)?)"/g;

describe("code in the documentation", () => {
  const pages = globSync(["README.md", "docs/**/*.md"], {
    cwd: packageRoot,
    ignore: "docs/reference/api/**",
  });
  for (const page of pages.sort()) {
    const code = Array.from(
      readFileSync(join(packageRoot, page), "utf8").matchAll(block),
      ([, text]) => text!,
    );
    const imports = Array.from(code.join("\n").matchAll(imported));
    if (imports.length === 0) continue;
    it(`${page}: what it imports is exported`, async () => {
      for (const [, names, specifier] of imports) {
        const exports = Object.keys((await import(specifier!)) as object);
        const values = names!
          .split(",")
          .map((name) => name.trim())
          .filter((name) => name !== "" && !name.startsWith("type "));
        for (const name of values) assert.ok(exports.includes(name), `${specifier} does not export ${name}`);
      }
    });
  }
});
