import assert from "node:assert/strict";
import { readRecord } from "../../../lib/eval/report/read-record.ts";

const record = {
  dataset: "wds/x",
  model: "NaN",
  pretrained: "p",
  task: "zeroshot_classification",
  metrics: { acc1: 0.5, acc5: null },
  language: "en",
};

describe("readRecord", () => {
  it("reads CLIP_benchmark's NaN as an undefined figure, outside of strings", () => {
    const json = JSON.stringify(record).replace("null", "NaN");
    assert.match(json, /"acc5":NaN/);
    assert.deepEqual(readRecord(json, "r.json"), record);
  });

  it("keeps class names, templates, and the mark of partial results", () => {
    const more = { ...record, classnames: ["a"], templates: { a: ["b"] }, partial: true };
    assert.deepEqual(readRecord(JSON.stringify(more), "r.json"), more);
  });

  it("reads the switch among the figures of linear probes", () => {
    const probe = { ...record, task: "linear_probe", metrics: { lp_acc1: 0.5, normalized: true } };
    assert.deepEqual(readRecord(JSON.stringify(probe), "r.json").metrics, { lp_acc1: 0.5, normalized: true });
  });

  it("refuses other files", () => {
    const read = (change: object) => () => readRecord(JSON.stringify({ ...record, ...change }), "r.json");
    assert.throws(
      read({ task: "captioning" }),
      /r\.json: expected task to be .*"linear_probe", found "captioning"/,
    );
    assert.throws(read({ metrics: { acc1: "x" } }), /expected metrics\.acc1 to be a number/);
    assert.throws(
      () => readRecord("[]", "r.json"),
      /expected an object, .*expected a result of CLIP_benchmark/,
    );
  });
});
