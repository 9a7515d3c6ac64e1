import assert from "node:assert/strict";
import { empty, Html, html } from "../../../lib/eval/report/html.ts";

describe("html", () => {
  it("escapes texts and attributes, and inserts HTML and lists of it", () => {
    const name = `<script>"&'`;
    const items = ["a", "b<"].map((text) => html`<li>${text}</li>`);
    const list = html`<ul title="${name}">
      ${items}${empty}
    </ul>`;
    assert.equal(
      list.source.replaceAll(/\n */g, ""),
      '<ul title="&lt;script&gt;&quot;&amp;&#39;"><li>a</li><li>b&lt;</li></ul>',
    );
    assert.equal(html`<p>${name} ${1}</p>`.source, "<p>&lt;script&gt;&quot;&amp;&#39; 1</p>");
    assert.equal(html`${new Html("<hr>")}`.source, "<hr>");
  });

  it("replaces lone surrogates, which UTF-8 cannot hold", () => {
    assert.equal(html`${"\ud800"}`.source, "\ufffd");
  });
});
