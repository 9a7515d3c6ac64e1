import assert from "node:assert/strict";

/** Fails if two lists differ in length, or any two items by more than `tolerance`. */
export function assertNear(ours: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(ours.length, expected.length);
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(ours[i]! - value);
    assert(difference <= tolerance, `at ${i}: ${ours[i]!}, expected ${value} ± ${tolerance}`);
  }
}
