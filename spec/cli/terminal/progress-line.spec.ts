import assert from "node:assert/strict";
import { megabytes, progressLine } from "../../../cli/terminal/progress-line.ts";

describe("progressLine", () => {
  const work = { done: 40, total: 160, unit: "images" };

  it("shows a bar, the count, the rate and the remaining time", () => {
    assert.equal(
      progressLine(work, 30, 80),
      `${"█".repeat(10)}${" ".repeat(30)}  40/160 images, 1.3/s, 1m30s left`,
    );
    assert.equal(progressLine({ ...work, done: 0 }, 30, 80), `${" ".repeat(40)}   0/160 images`);
    assert.match(progressLine(work, 1, 80), / 3s left$/);
    assert.match(progressLine(work, 3000, 80), / 2h30m left$/);
    assert.match(progressLine({ ...work, done: 120 }, 179.9, 80), / 1m00s left$/);
    assert.match(progressLine({ ...work, before: 30 }, 30, 80), / 0\.33\/s, 6m00s left$/);
    assert.match(progressLine({ ...work, before: 40 }, 30, 80), /40\/160 images$/);
    assert.match(progressLine(work, 0, 80), /40\/160 images$/);
  });

  for (const columns of [60, 40, 30, 20, 10]) {
    it(`fits ${columns} columns`, () => {
      const line = progressLine(work, 30, columns);
      assert.ok(line.length < columns, line);
      assert.match(line, /40\/160/);
      assert.equal(line.includes("█"), columns >= 40);
    });
  }

  it("counts bytes in megabytes", () => {
    const work = megabytes(500_900_000, 2e9);
    assert.match(progressLine(work, 2, 80), /█ +500\/2000 MB, 250\/s, 6s left$/);
    assert.ok(progressLine({ ...work, done: 2000 }, 2, 40).length < 40);
  });
});
