import assert from "node:assert/strict";
import { crossmodal3600 } from "../../../lib/eval/datasets/crossmodal3600.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("crossmodal3600", () => {
  const folder = datasetFolder(crossmodal3600, "crossmodal3600");
  const line = (key: string, captions: object): string =>
    JSON.stringify({ "image/key": key, "image/locale": "de", ...captions });

  beforeEach(() => {
    folder.write(["xm3600/images/00b.jpg", "xm3600/images/00a.jpg"]);
  });

  it("uses the first caption of each image only", async () => {
    const lines = [
      line("00b", { de: { caption: ["eins", "zwei"] }, quz: { caption: ["huk"] } }),
      line("00a", { de: { caption: ["drei"] }, quz: { caption: [] } }),
    ];
    folder.write({ "xm3600/captions.jsonl": `${lines.join("\n")}\n` });
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read({ language: "de" });
    assert.ok(dataset.kind === "retrieval");
    assert.deepEqual(folder.images(dataset), ["xm3600/images/00b.jpg", "xm3600/images/00a.jpg"]);
    assert.deepEqual(dataset.captions, [["eins"], ["drei"]]);
    await assert.rejects(folder.read({ language: "quz" }), inputError(/line 2.*quz.*at least one caption/));
    await assert.rejects(folder.read({ language: "jp" }), (error: Error & { details: string[] }) => {
      assert.match(error.message, /no captions in the language "jp"/);
      assert.deepEqual(error.details, ["de quz"]);
      return true;
    });
  });

  it("names the line that is damaged, and missing images", async () => {
    folder.write({ "xm3600/captions.jsonl": `${line("00b", { en: { caption: ["x"] } })}\n{"image/key"` });
    await assert.rejects(folder.read(), inputError(/captions\.jsonl: line 2/));
    folder.write({ "xm3600/captions.jsonl": line("00c", { en: { caption: ["x"] } }) });
    await assert.rejects(folder.read(), inputError(/1 missing \(00c\.jpg\)/));
    folder.remove("xm3600/captions.jsonl");
    await assert.rejects(folder.read(), inputError(/xm3600\/captions\.jsonl: not found/));
  });
});
