import assert from "node:assert/strict";
import { Counter, exposition, Gauge, Histogram } from "../../lib/serve/metrics.ts";
import { parseExposition } from "../support/prometheus.ts";

describe("exposition", () => {
  it("writes counters, gauges and histograms as Prometheus reads them", () => {
    const counter = new Counter("requests_total", 'Requests, "all" of them\\\nby route.');
    counter.add({ route: 'a"b\\c\nd' });
    counter.add({ route: 'a"b\\c\nd' }, 2);
    counter.add({ route: "e" });
    const gauge = new Gauge("waiting", "Waiting.", () => [[{}, 7]]);
    const histogram = new Histogram("seconds", "Times.", [0.1, 1]);
    for (const value of [0.05, 0.1, 0.5, 3]) histogram.observe(value, { of: "x" });
    const families = parseExposition(exposition([counter, gauge, histogram]));
    assert.deepEqual(
      families.map(({ name, type, help }) => [name, type, help]),
      [
        ["requests_total", "counter", 'Requests, "all" of them\\\nby route.'],
        ["waiting", "gauge", "Waiting."],
        ["seconds", "histogram", "Times."],
      ],
    );
    assert.deepEqual(families[0]!.samples, [
      { name: "requests_total", labels: { route: 'a"b\\c\nd' }, value: 3 },
      { name: "requests_total", labels: { route: "e" }, value: 1 },
    ]);
    assert.deepEqual(families[1]!.samples, [{ name: "waiting", labels: {}, value: 7 }]);
    // A bucket counts its own values and those of all buckets before it; its end belongs to it.
    assert.deepEqual(
      families[2]!.samples.map(({ name, labels, value }) => [name, labels["le"], value]),
      [
        ["seconds_bucket", "0.1", 2],
        ["seconds_bucket", "1", 3],
        ["seconds_bucket", "+Inf", 4],
        ["seconds_sum", undefined, 3.65],
        ["seconds_count", undefined, 4],
      ],
    );
  });

  it("a histogram observes work that fails too", async () => {
    const histogram = new Histogram("seconds", "Times.");
    await assert.rejects(
      histogram.time(() => Promise.reject(new Error("broken"))),
      /broken/,
    );
    assert.equal(histogram.samples().find(({ suffix }) => suffix === "_count")!.value, 1);
  });
});
