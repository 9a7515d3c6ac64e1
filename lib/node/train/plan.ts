/** How many steps a run has, and their learning rates. Refuses what open_clip would do silently, and nobody wants. */
import { InputError } from "../../errors/input-error.ts";
import { constantSchedule, cooldownSchedule, cosineSchedule, type Schedule } from "../../train/schedule.ts";
import type { TrainSettings } from "./settings.ts";

export interface Plan {
  readonly batchesPerEpoch: number;
  readonly stepsPerEpoch: number;
  readonly steps: number;
  readonly warmup: number;
  readonly schedule: Schedule;
}

/** open_clip's default for --warmup. */
const openClipWarmup = 10_000;

type PlanSettings = Pick<
  TrainSettings,
  | "batchSize"
  | "accumFreq"
  | "epochs"
  | "warmup"
  | "lr"
  | "lrScheduler"
  | "epochsCooldown"
  | "lrCooldownEnd"
  | "lrCooldownPower"
>;

/**
 * @param pairs of the training data; `unit` names them in messages
 * @throws InputError for fewer pairs than a step takes, a warm-up or cooldown longer than the run
 */
export function planRun(name: string, pairs: number, settings: PlanSettings, unit = "pairs"): Plan {
  const { batchSize, accumFreq, epochs, lr: rate, lrScheduler } = settings;
  const batchesPerEpoch = Math.floor(pairs / batchSize);
  const stepsPerEpoch = Math.floor(batchesPerEpoch / accumFreq);
  if (stepsPerEpoch === 0) {
    const accumulated = accumFreq === 1 ? "" : ` times --accum-freq ${accumFreq}`;
    throw new InputError(
      `${name}: ${pairs} ${unit}, expected at least as many as --batch-size ${batchSize}${accumulated}; lower it`,
    );
  }
  const steps = stepsPerEpoch * epochs;
  const warmup = settings.warmup ?? Math.min(openClipWarmup, Math.floor(steps / 10));
  if (warmup >= steps) {
    throw new InputError(
      `--warmup ${warmup}: the run has only ${steps} steps (${epochs} epochs of ${stepsPerEpoch}), so the learning rate would never reach --lr; lower it`,
    );
  }
  const options = { rate, warmup, steps };
  return { batchesPerEpoch, stepsPerEpoch, steps, warmup, schedule: scheduleOf() };

  function scheduleOf(): Schedule {
    if (lrScheduler === "cosine") return cosineSchedule(options);
    if (lrScheduler === "const") return constantSchedule(options);
    const cooldown = stepsPerEpoch * (settings.epochsCooldown ?? 0);
    if (cooldown === 0 || cooldown > steps) {
      throw new InputError(
        `--lr-scheduler const-cooldown: expected --epochs-cooldown from 1 to ${epochs}, found ${settings.epochsCooldown ?? "none"}`,
      );
    }
    return cooldownSchedule({
      ...options,
      cooldown,
      power: settings.lrCooldownPower,
      end: settings.lrCooldownEnd,
    });
  }
}
