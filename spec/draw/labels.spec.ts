import assert from "node:assert/strict";
import { fitText, textWidth } from "../../lib/draw/labels.ts";

/** Without the isolating characters around it. */
const fitted = (text: string, width: number): string => fitText(text, width, 10).slice(1, -1);

describe("labels", () => {
  it("count wide letters, and letters with combining marks once", () => {
    assert.equal(textWidth("猫", 10), 10);
    assert.equal(textWidth("e\u0301", 10), textWidth("e", 10));
    assert.equal(textWidth("", 10), 0);
  });

  it("are cut to their width between letters, in any script", () => {
    assert.equal(fitted("cat", 100), "cat");
    assert.equal(fitted("a long name", 50), "a long…");
    assert.equal(fitted("长颈鹿和大象", 40), "长颈鹿…");
    assert.equal(fitted("كلب كبير", 40), "كلب ك…");
    assert.equal(fitted("e\u0301".repeat(9), 20), "e\u0301e\u0301…");
  });

  it("are isolated from their surroundings", () => {
    assert.equal(fitText("قطة", 100), "\u2068قطة\u2069");
  });
});
