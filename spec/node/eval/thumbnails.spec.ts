import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { decodeImage } from "../../../lib/image/decode.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { thumbnailsOf } from "../../../lib/node/eval/thumbnails.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("thumbnailsOf", () => {
  const folder = temporaryFolder();
  const sample = fixture("demo-model/samples/orange-heart.jpg");
  const member = `${fixture("eval/webdatasets/captions/test/0.tar")}:s0000001.webp`;

  it("makes small PNG files of images in folders and tars, and skips those that are missing or damaged", async () => {
    const damaged = fixture("eval/metrics.json");
    const found = await thumbnailsOf([sample, member, "missing.png", `${member}x`, damaged]);
    assert.deepEqual([...found.keys()], [sample, member]);
    for (const url of found.values()) {
      const [head, data = ""] = url.split(",");
      assert.equal(head, "data:image/png;base64");
      const { width, height } = await decodeImage(Buffer.from(data, "base64"), "thumbnail", nodeCodecs());
      assert.ok(Math.max(width, height) <= 160, `${width} × ${height}`);
    }
  });

  it("finds images that were moved to a folder", async () => {
    await copyFile(sample, folder.file("orange-heart.jpg"));
    const found = await thumbnailsOf(["/elsewhere/orange-heart.jpg"], folder.file("."));
    assert.equal(found.size, 1);
  });
});
