import assert from "node:assert/strict";
import { constantSchedule, cooldownSchedule, cosineSchedule } from "../../lib/train/schedule.ts";
import { assertNear } from "../support/near.ts";

const rates = (schedule: (step: number) => number, steps: number): number[] =>
  Array.from({ length: steps }, (_, step) => schedule(step));

// spec/parity/training.spec.ts compares every rate of whole runs with open_clip_train's.
describe("schedules", () => {
  it("grow to the rate in the warm-up, and fall along a cosine: 0.5 (1 + cos π k/4) after it", () => {
    const schedule = cosineSchedule({ rate: 8, warmup: 2, steps: 6 });
    assertNear(rates(schedule, 6), [4, 8, 8, 4 * (1 + Math.SQRT1_2), 4, 4 * (1 - Math.SQRT1_2)], 1e-12);
  });

  it("stay constant, or fall along a power at the end", () => {
    assert.deepEqual(rates(constantSchedule({ rate: 3, warmup: 0, steps: 4 }), 4), [3, 3, 3, 3]);
    const schedule = cooldownSchedule({ rate: 8, warmup: 1, steps: 6, cooldown: 4, power: 2, end: 0 });
    assertNear(rates(schedule, 6), [8, 8, 8, 4.5, 2, 0.5], 1e-12); // 8 (1 − k/4)²
  });
});
