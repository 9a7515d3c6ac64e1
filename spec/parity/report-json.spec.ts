import assert from "node:assert/strict";
import { JsonValue } from "../../lib/json/json-value.ts";
import { decodeReport, encodeReport } from "../../lib/parity/report-json.ts";
import type { ParityReport, TapReport } from "../../lib/parity/verify.ts";

const good: TapReport = {
  name: "visual.conv1",
  relativeL2: 1e-7,
  maxAbs: 2e-6,
  cosine: 1,
  worst: [0, 1],
  passed: true,
  ratio: 1.5,
};
const missing: TapReport = {
  name: "visual",
  relativeL2: null,
  maxAbs: null,
  cosine: null,
  worst: null,
  passed: false,
  missing: "ours",
};
const report: ParityReport = {
  passed: false,
  taps: [good, missing],
  worst: missing,
  worstRatio: good,
  tolerance: 1e-4,
  isolated: false,
  precision: "f32",
};

describe("the JSON of verify", () => {
  it("is read as it is written, without positions", () => {
    const json = JsonValue.parse(JSON.stringify(encodeReport(report)), "report.json");
    const figures = (tap: TapReport): object =>
      Object.fromEntries(Object.entries(tap).filter(([key]) => key !== "worst"));
    assert.deepEqual(decodeReport(json), { passed: false, taps: [good, missing].map(figures) });
  });

  it("names what is wrong", () => {
    const decode = (text: string) => () => decodeReport(JsonValue.parse(text, "r.json"));
    assert.throws(
      decode('{"passed": true, "taps": []}'),
      /r\.json: expected taps to be the comparison of at least one tap/,
    );
    assert.throws(decode('{"passed": true, "taps": [{"name": "x", "passed": 1}]}'), /taps\[0\]\.passed/);
    assert.throws(
      decode('{"passed": true, "taps": [{"name": "x", "passed": true, "missing": "x"}]}'),
      /missing/,
    );
  });
});
