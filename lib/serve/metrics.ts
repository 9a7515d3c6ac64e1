/**
 * Counts and durations of a server in Prometheus' text format.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
 */

/** The content type of the format. */
export const metricsType = "text/plain; version=0.0.4; charset=utf-8";

/** The labels of a value, by name. */
export type Labels = Readonly<Record<string, string>>;

interface Sample {
  /** After the metric's name. */
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
}

/** A metric with its samples at this moment. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  samples(): readonly Sample[];
}

/** The metrics as a document. */
export function exposition(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap((metric) => [
    `# HELP ${metric.name} ${metric.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${metric.name} ${metric.type}`,
    ...metric
      .samples()
      .map(({ suffix, labels, value }) => `${metric.name}${suffix}${labelled(labels)} ${numeral(value)}`),
  ]);
  return `${lines.join("\n")}\n`;
}

function labelled(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function numeral(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** Values by their labels, in the order of their first use. */
class ByLabels<Value> {
  readonly #values = new Map<string, { readonly labels: Labels; value: Value }>();

  change(labels: Labels, change: (value: Value | undefined) => Value): void {
    const key = JSON.stringify(labels);
    const entry = this.#values.get(key);
    if (entry === undefined) this.#values.set(key, { labels, value: change(undefined) });
    else entry.value = change(entry.value);
  }

  entries(): readonly { readonly labels: Labels; readonly value: Value }[] {
    return [...this.#values.values()];
  }
}

/** A number that only grows. */
export class Counter implements Metric {
  readonly type = "counter";
  readonly name: string;
  readonly help: string;
  readonly #counts = new ByLabels<number>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  /** Counts. */
  add(labels: Labels = {}, by = 1): void {
    this.#counts.change(labels, (count = 0) => count + by);
  }

  samples(): Sample[] {
    return this.#counts.entries().map(({ labels, value }) => ({ suffix: "", labels, value }));
  }
}

/** A number that is read when it is asked for. */
export class Gauge implements Metric {
  readonly type = "gauge";
  readonly name: string;
  readonly help: string;
  readonly #read: () => readonly (readonly [labels: Labels, value: number])[];

  constructor(name: string, help: string, read: () => readonly (readonly [labels: Labels, value: number])[]) {
    this.name = name;
    this.help = help;
    this.#read = read;
  }

  samples(): Sample[] {
    return this.#read().map(([labels, value]) => ({ suffix: "", labels, value }));
  }
}

interface Observed {
  /** Values in each bucket alone. */
  readonly counts: number[];
  sum: number;
}

/** Upper ends of buckets of durations, in seconds. */
export const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** How often values of each size occurred. */
export class Histogram implements Metric {
  readonly type = "histogram";
  readonly name: string;
  readonly help: string;
  readonly #ends: readonly number[];
  readonly #observed = new ByLabels<Observed>();

  /** @param ends of the buckets, ascending */
  constructor(name: string, help: string, ends: readonly number[] = seconds) {
    this.name = name;
    this.help = help;
    this.#ends = ends;
  }

  /** Counts a value. */
  observe(value: number, labels: Labels = {}): void {
    const at = this.#ends.findIndex((end) => value <= end);
    this.#observed.change(labels, (before) => {
      const observed = before ?? { counts: new Array<number>(this.#ends.length + 1).fill(0), sum: 0 };
      observed.counts[at === -1 ? this.#ends.length : at]! += 1;
      observed.sum += value;
      return observed;
    });
  }

  /** Observes how long work takes, in seconds, also if it fails. */
  async time<T>(work: () => Promise<T>, labels: Labels = {}): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.observe((performance.now() - start) / 1000, labels);
    }
  }

  samples(): Sample[] {
    return this.#observed.entries().flatMap(({ labels, value: { counts, sum } }) => {
      let count = 0;
      const buckets = counts.map((own, i): Sample => {
        count += own;
        const le = numeral(this.#ends[i] ?? Infinity);
        return { suffix: "_bucket", labels: { ...labels, le }, value: count };
      });
      return [...buckets, { suffix: "_sum", labels, value: sum }, { suffix: "_count", labels, value: count }];
    });
  }
}
