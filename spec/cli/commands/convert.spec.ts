import assert from "node:assert/strict";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { clipscope } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope convert", () => {
  const folder = temporaryFolder();

  it("reports what it did", async () => {
    const source = folder.file("source");
    await mkdir(source);
    await cp(fixture("tiny/no-projection/open_clip_config.json"), `${source}/open_clip_config.json`);
    await cp(fixture("tiny/no-projection/text"), `${source}/text`, { recursive: true });
    await cp(fixture("checkpoints/training.pt"), `${source}/epoch_3.pt`);
    const args = ["convert", `${source}/epoch_3.pt`, folder.file("model"), "--dtype", "f16"];
    const { status, stdout, stderr } = await clipscope(args);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^source {8}.*epoch_3\.pt \(zip\)\narchitecture {2}from the config\n/);
    assert.match(stdout, /^tensors {7}42 \(42 F16\), 36,753 parameters$/m);
    assert.match(stdout, /^rounded {7}0 overflowed, 17 became subnormal or zero$/m);
    assert.match(stdout, /^dropped {7}text\.transformer\.embeddings\.position_ids$/m);
    assert.match(stdout, /^copied {8}open_clip_config\.json, text\/config\.json$/m);
    const again = await clipscope(args);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /^clipscope: .*model: already exists; use --force to replace it\n$/);
    assert.equal((await clipscope([...args, "--force", "--json"])).status, 0);
    assert.deepEqual((await readdir(folder.path)).sort(), ["model", "source"]);
  });

  it("refuses files that are not checkpoints", async () => {
    for (const [content, message] of [
      ["hello", /not a valid safetensors file/],
      ["PK\x03\x04 and so on", /a damaged zip file/],
      ["\x80\x02K\x01.", /not a PyTorch file; expected a pickle/],
    ] as const) {
      await writeFile(folder.file("strange.bin"), content, "latin1");
      const { status, stderr } = await clipscope([
        "convert",
        folder.file("strange.bin"),
        folder.file("model"),
      ]);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
    const { stderr } = await clipscope(["convert", "nowhere.pt", folder.file("model")]);
    assert.equal(stderr, "clipscope: nowhere.pt: no such file or folder\n");
  });
});
