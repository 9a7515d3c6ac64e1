import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { globSync } from "tinyglobby";
import { packageRoot } from "../support/paths.ts";

/** Paths of the repository that a page mentions as code, such as `lib/nn/mlp.ts`; `NAME` in one is a placeholder. */
const mentioned = /`((?:assets|bench|cli|docs|examples|fixtures|lib|spec|tools)\/[\w./-]+)`/g;
const linked = /\]\(([^)\s]+)\)/g;

describe("links in the documentation", () => {
  for (const page of globSync(["*.md", "docs/**/*.md"], { cwd: packageRoot }).sort()) {
    it(`${page}: every link and every path leads to a file`, () => {
      const markdown = readFileSync(join(packageRoot, page), "utf8");
      const links = Array.from(markdown.matchAll(linked), ([, link]) => link!)
        .filter((link) => !/^(https?:|#)/.test(link))
        .map((link) => join(dirname(page), link.replace(/#.*$/, "")));
      const paths = Array.from(markdown.matchAll(mentioned), ([, path]) => path!);
      const missing = [...links, ...paths].filter(
        (path) => !path.includes("NAME") && !existsSync(join(packageRoot, path)),
      );
      assert.deepEqual(missing, []);
    });
  }

  it("links to headings name headings that exist", () => {
    const ignore = ["docs/reference/api/**"]; // generated, with numbered anchors
    for (const page of globSync(["*.md", "docs/**/*.md"], { cwd: packageRoot, ignore })) {
      const markdown = readFileSync(join(packageRoot, page), "utf8");
      for (const [, link] of markdown.matchAll(/\]\(([^)\s]*#[^)\s]+)\)/g)) {
        const [path, heading] = link!.split("#");
        if (/^https?:/.test(path!)) continue;
        const target = path === "" ? page : join(dirname(page), path!);
        assert.ok(headings(target).includes(heading!), `${page}: ${link}`);
      }
    }
  });
});

/** GitHub's anchors of a page's headings. */
function headings(page: string): string[] {
  const markdown = readFileSync(join(packageRoot, page), "utf8");
  return Array.from(markdown.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
