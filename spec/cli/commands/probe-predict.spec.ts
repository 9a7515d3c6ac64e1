import assert from "node:assert/strict";
import { join } from "node:path";
import { openProbe, predictImage } from "../../../lib/node/features/probes.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { writeColourFolders, writePoints } from "../../support/probe-files.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope probe predict", () => {
  const folder = temporaryFolder();
  let features: string;
  let probe: string;

  beforeEach(() => {
    features = folder.file("features.safetensors");
    probe = folder.file("probe.safetensors");
  });

  const fit = (...more: string[]): Promise<Result> =>
    clipscope(["probe", "fit", "--features", features, "--out", probe, ...more]);
  const evaluate = (...more: string[]): Promise<Result> =>
    clipscope(["probe", "eval", "--probe", probe, "--features", features, ...more]);

  it("classifies images like the library; eval compares with zero-shot", async () => {
    const images = folder.file("images");
    await writeColourFolders(images);
    await clipscope(["embed", "--images", images, "--out", features]);
    await fit();
    assert.match((await evaluate()).stdout, /probe +zero-shot\naccuracy +100\.0% +\d+\.\d%\n/);
    const red = join(images, "red", "0.png");
    const { status, stdout } = await clipscope(["probe", "predict", "--probe", probe, red, "--json"]);
    assert.equal(status, 0);
    const [result] = JSON.parse(stdout) as [
      { path: string; scores: { label: string; probability: number }[] },
    ];
    assert.deepEqual([result.path, result.scores.map(({ label }) => label)], [red, ["red", "blue"]]);
    const model = await loadModel();
    assert.deepEqual(await predictImage(model, await openProbe(probe), red), result.scores);
    await model.dispose();
    const table = await clipscope(["probe", "predict", "--probe", probe, red, "nowhere.png", "--top", "1"]);
    assert.equal(table.status, 2);
    assert.match(table.stdout, /red\/0\.png\n {2}red +\d+\.\d%/);
    assert.match(table.stderr, /nowhere\.png: no such file/);
  });

  it("refuses a probe for another model", async () => {
    await writePoints(features, [0, 0, 1, 1], { metadata: { model: "a", model_sha256: "0" } });
    await fit();
    const image = folder.file("red.png");
    await writeImage(image, 0xff0000);
    const { status, stderr } = await clipscope(["probe", "predict", "--probe", probe, image]);
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^clipscope: .*another model than the model in use: expected demo-model.*, found a \(0\)\n$/,
    );
  });
});
