import assert from "node:assert/strict";
import { element, Markup, svgFile } from "../../lib/draw/svg.ts";

describe("SVG", () => {
  it("escapes texts and attributes, and nests markup", () => {
    const inner = element("text", { x: 1 / 3, fill: '"red"' }, "cats & <dogs>");
    assert.equal(inner.source, '<text x="0.33" fill="&quot;red&quot;">cats &amp; &lt;dogs&gt;</text>');
    assert.equal(element("g", {}, inner).source, `<g>${inner.source}</g>`);
    assert.equal(element("rect", { width: 2 }).source, '<rect width="2"/>');
  });

  it("replaces characters that XML cannot represent", () => {
    assert.equal(
      element("title", {}, "a\u0000b\u001bc\ud800d\ufffe猫😀").source,
      "<title>a�b�c�d�猫😀</title>",
    );
  });

  it("has a size, a title, and a background", () => {
    const file = svgFile(20, 10, "A & B", [new Markup("<g/>")]);
    assert.match(
      file,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="20" height="10" viewBox="0 0 20 10"/,
    );
    assert.match(
      file,
      /<title>A &amp; B<\/title>\n<rect width="100%" height="100%" fill="#ffffff"\/>\n<g\/>\n<\/svg>\n$/,
    );
  });
});
