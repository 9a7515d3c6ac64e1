import assert from "node:assert/strict";
import { csvRows, csvTitles } from "../../lib/probe/predictions-csv.ts";

describe("predictions as CSV", () => {
  it("have a column for each class", () => {
    const classes = ["cat", "dog"];
    const block = { paths: ["a.png", "b.png"], probabilities: Float32Array.of(0.75, 0.25, 0.1, 0.9) };
    assert.equal(
      csvTitles(classes) + [...csvRows(classes, block)].join(""),
      "path,prediction,cat,dog\r\na.png,cat,0.75,0.25\r\nb.png,dog,0.1,0.9\r\n",
    );
  });

  it("quote commas, quotes and line breaks", () => {
    const classes = ['a "quoted" class', "b"];
    const block = { paths: ["one,\ntwo"], probabilities: Float32Array.of(1, 0) };
    assert.equal(csvTitles(classes), 'path,prediction,"a ""quoted"" class",b\r\n');
    assert.equal([...csvRows(classes, block)].join(""), '"one,\ntwo","a ""quoted"" class",1,0\r\n');
  });
});
