/** Against what CLIP_benchmark saved and measured; see tools/golden/classifiers.py. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readClassifiers } from "../../../lib/node/eval/classifiers.ts";
import { openProbe, saveProbe } from "../../../lib/node/features/probes.ts";
import { Probe } from "../../../lib/probe/probe.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { assertNear } from "../../support/near.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const theirs = ["en.pt", "it.pt"].map((name) => fixture(`eval/classifiers/${name}`));
const data = fixture("eval/webdatasets");

describe("files of classifiers", () => {
  const folder = temporaryFolder();

  function evaluate(...args: readonly string[]): Promise<Result> {
    const features = ["--features", folder.file("features")];
    return clipscope(["eval", "wds/colours", "--data", data, "--backend", "wasm", ...features, ...args]);
  }

  it("are averaged as CLIP_benchmark does, from its own files", async () => {
    const { status, stdout, stderr } = await evaluate(
      ...theirs.flatMap((file) => ["--load-clfs", file]),
      "--json",
    );
    assert.deepEqual([status, stderr], [0, ""]);
    const golden = JSON.parse(readFileSync(fixture("eval/classifiers/mean.json"), "utf8")) as unknown;
    assert.deepEqual(JSON.parse(stdout), [golden]);
    const [english, italian] = await Promise.all(theirs.map((file) => readClassifiers([file])));
    const mean = await readClassifiers(theirs);
    assert.deepEqual([mean.rows, english!.rows], [6, 6]);
    assert.deepEqual(
      mean.values,
      english!.values.map((value, i) => Math.fround(value / 2) + Math.fround(italian!.values[i]! / 2)),
    );
  });

  it("that eval writes hold CLIP_benchmark's classifier, as a probe, and give the same result", async () => {
    const file = folder.file("colours-en.safetensors");
    const written = await evaluate("--save-clf", folder.file("{dataset}-{language}.safetensors"), "--json");
    assert.deepEqual([written.status, written.stderr, existsSync(file)], [0, "", true]);
    const [ours, golden] = [await readClassifiers([file]), await readClassifiers([theirs[0]!])];
    assertNear([...ours.values], [...golden.values], 1e-5);
    const loaded = await evaluate("--load-clfs", file, "--json");
    assert.equal(loaded.stdout, written.stdout);
    assert.equal((await openProbe(file)).classNames[0], "red");
  });

  it("are written for a finished result, too", async () => {
    const [out, file] = [folder.file("results"), folder.file("x.safetensors")];
    assert.equal((await evaluate("--out", out)).status, 0);
    assert.equal((await evaluate("--out", out, "--save-clf", file)).status, 0);
    assert.ok(existsSync(file));
  });

  it("are refused for other classes and datasets, and where several would be written to one file", async () => {
    const fitted = folder.file("fitted.safetensors");
    const parts = { name: "x", weight: new Float32Array(12), classNames: null, metadata: {} };
    await saveProbe(new Probe({ ...parts, bias: Float32Array.of(1, 0) }), fitted);
    writeFileSync(folder.file("text"), "text");
    for (const [args, message] of [
      [["wds/shapes", "--load-clfs", theirs[0]!], /expected a classifier of 3 classes .*, found 6 and/],
      [
        ["wds/captions", "--load-clfs", theirs[0]!],
        /a classifier is for images with classes, found retrieval/,
      ],
      [
        ["wds/shapes", "--load-clfs", fitted],
        /expected a classifier of normalised embeddings, found a probe that was fitted on others/,
      ],
      [["wds/shapes", "--load-clfs", folder.file("text")], /text: /],
      [["wds/shapes", "--load-clfs", join(folder.path, "nothing")], /nothing: /],
      [
        ["wds/shapes", "wds/colours", "--save-clf", "one"],
        /--save-clf one: expected \{dataset\} or \{language\}/,
      ],
    ] as const) {
      const { status, stderr } = await clipscope(["eval", ...args, "--data", data, "--backend", "wasm"]);
      assert.equal(status, 2, args.join(" "));
      assert.match(stderr, message);
    }
  });
});
