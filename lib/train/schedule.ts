/**
 * Learning rates by step: a linear warm-up, then a cosine, a constant, or a constant with a cooldown at the end.
 *
 * Source: open_clip_train/scheduler.py.
 */

/** The learning rate of each step, counted from 0. */
export type Schedule = (step: number) => number;

/** Settings of every schedule. */
export interface ScheduleOptions {
  readonly rate: number;
  /** Steps in which the rate grows to `rate`. */
  readonly warmup: number;
  /** Steps of the whole run. */
  readonly steps: number;
}

function afterWarmup({ rate, warmup }: ScheduleOptions, later: Schedule): Schedule {
  return (step) => (step < warmup ? (rate * (step + 1)) / warmup : later(step));
}

/** Falls from `rate` to 0 along half a period of the cosine. */
export function cosineSchedule(options: ScheduleOptions): Schedule {
  const { rate, warmup, steps } = options;
  return afterWarmup(
    options,
    (step) => 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / (steps - warmup))) * rate,
  );
}

/** Stays at `rate`. */
export function constantSchedule(options: ScheduleOptions): Schedule {
  return afterWarmup(options, () => options.rate);
}

/** Settings of `cooldownSchedule`. */
export interface CooldownOptions extends ScheduleOptions {
  /** Steps at the end in which the rate falls. */
  readonly cooldown: number;
  /** 1: along a line. */
  readonly power: number;
  /** The rate at the end. */
  readonly end: number;
}

/** Stays at `rate`, and falls at the end along a power. */
export function cooldownSchedule(options: CooldownOptions): Schedule {
  const { rate, steps, cooldown, power, end } = options;
  const start = steps - cooldown;
  return afterWarmup(options, (step) =>
    step < start ? rate : (1 - (step - start) / (steps - start)) ** power * (rate - end) + end,
  );
}
