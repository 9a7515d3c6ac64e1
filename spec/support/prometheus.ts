/**
 * A strict reader of Prometheus' text format: anything that a scraper would reject throws.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import assert from "node:assert/strict";

export interface PrometheusSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface PrometheusFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: PrometheusSample[];
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
};

export function parseExposition(text: string): PrometheusFamily[] {
  assert.match(text, /\n$/, "the last line must end");
  const families: PrometheusFamily[] = [];
  let help: { readonly name: string; readonly help: string } | undefined;
  for (const line of text.trimEnd().split("\n")) {
    const [, helpName, helpText] = /^# HELP ([a-zA-Z_:][\w:]*) (.*)$/.exec(line) ?? [];
    const [, typeName, type] = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (helpName !== undefined) help = { name: helpName, help: unescape(helpText!) };
    else if (typeName !== undefined) {
      assert.equal(help?.name, typeName, line);
      assert.ok(!families.some(({ name }) => name === typeName), `${typeName} twice`);
      families.push({ name: typeName, help: help.help, type: type!, samples: [] });
    } else {
      const family = families.at(-1)!;
      const sample = parseSample(line);
      const allowed = suffixes[family.type]!.map((suffix) => family.name + suffix);
      assert.ok(allowed.includes(sample.name), `${line} in ${family.name}`);
      const { name, labels } = sample;
      const isTwice = family.samples.some((one) => one.name === name && same(one.labels, labels));
      assert.ok(!isTwice, `twice: ${line}`);
      family.samples.push(sample);
    }
  }
  return families;
}

/** The sum of a family's samples of one name with these labels. */
export function valueOf(
  families: readonly PrometheusFamily[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
  return samples
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

function parseSample(line: string): PrometheusSample {
  const [, name, , pairs = "", number] =
    /^([a-zA-Z_:][\w:]*)(\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (\S+)$/.exec(line) ?? [];
  assert.ok(name !== undefined, `not a sample: ${line}`);
  const labels = [...pairs.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(
    ([, key, value]) => [key!, unescape(value!)] as const,
  );
  const value = number === "+Inf" ? Infinity : number === "-Inf" ? -Infinity : Number(number);
  assert.ok(number === "NaN" || !Number.isNaN(value), line);
  return { name, labels: Object.fromEntries(labels), value };
}

function unescape(text: string): string {
  return text.replaceAll(/\\([\\"n])/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped));
}

function same(a: object, b: object): boolean {
  return JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());
}
