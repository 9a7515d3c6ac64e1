import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { firstPass, storedFile } from "../../../tools/studio/first-pass.ts";

/** Numbers with four digits may differ in the last one between machines. */
function assertClose(actual: unknown, expected: unknown, path: string): void {
  if (typeof expected === "number") {
    const tolerance = 2e-3 * Math.abs(expected) + 1e-6;
    const isNear = typeof actual === "number" && Math.abs(actual - expected) <= tolerance;
    assert.ok(isNear, `${path}: ${String(actual)}, expected ${expected}`);
    return;
  }
  if (typeof expected !== "object" || expected === null) {
    assert.equal(actual, expected, path);
    return;
  }
  const [left, right] = [Object.entries(actual as object), Object.entries(expected)];
  assert.deepEqual(
    left.map(([key]) => key),
    right.map(([key]) => key),
    path,
  );
  for (const [key, value] of right) {
    if (key === "histogram") continue; // a value at the edge of an interval may be counted in the next one
    assertClose((actual as Record<string, unknown>)[key], value, `${path}.${key}`);
  }
}

describe("the studio's stored pass", () => {
  it("is what the demo model computes now", async () => {
    assertClose(
      JSON.parse(readFileSync(storedFile, "utf8")),
      JSON.parse(JSON.stringify(await firstPass())),
      "first-pass.json",
    );
  });

  it("has at most 60 kB, compressed", () => {
    const size = gzipSync(readFileSync(storedFile)).length;
    assert.ok(size <= 60_000, `${size} bytes`);
  });
});
