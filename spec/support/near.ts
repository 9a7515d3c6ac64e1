import assert from "node:assert/strict";

/** Fails where two lists differ in length, or by more than `tolerance` anywhere. */
export function assertNear(ours: readonly number[], expected: readonly number[], tolerance: number): void {
  assert.equal(ours.length, expected.length);
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(ours[i]! - value);
    assert(difference <= tolerance, `at ${i}: ${ours[i]!}, expected ${value} ± ${tolerance}`);
  }
}
