import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate, readDataset } from "../../../lib/node/eval/evaluate.ts";
import { locateDataset } from "../../../lib/node/eval/hub-dataset.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { clipscope } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { hubRoom } from "../../support/pull.ts";

const hub = "https://huggingface.co/datasets/clip-benchmark";

/** A dataset of the fixtures as the files of a repository. */
function filesOf(name: string): Record<string, Uint8Array> {
  const root = fixture(`eval/webdatasets/${name}`);
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) =>
    /\.\w+$/.test(path),
  );
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(root, path))]));
}

describe("datasets of the hub", () => {
  const room = hubRoom();
  const common = (): string[] => ["--backend", "wasm", "--features", join(room.home, "features"), "--json"];

  it("leaves folders and names alone", async () => {
    for (const data of [undefined, "/data/{dataset}"]) {
      const options = data === undefined ? {} : { data };
      assert.deepEqual(await locateDataset("wds/x", options), { dataset: "wds/x", options: {} });
    }
    assert.deepEqual(room.hub.requests, []);
  });

  it("are pulled, then evaluated without the hub, by address or by CLIP_benchmark's --dataset_root", async () => {
    room.hub.add("datasets/clip-benchmark/wds_colours", filesOf("colours"));
    const address = `${hub}/wds_colours/tree/main`;
    const pulled = await clipscope(["pull", "--dataset", "clip-benchmark/wds_colours"]);
    assert.deepEqual([pulled.status, pulled.stderr], [0, ""]);
    assert.match(pulled.stdout, /^dataset +clip-benchmark\/wds_colours \(main, commit /);
    assert.match(pulled.stdout, /\nshards +12 of test, .* downloaded, verified\n/);
    assert.ok(pulled.stdout.includes(`use with  clipscope eval ${address}\n`), pulled.stdout);
    const again = await clipscope(["pull", "--dataset", address]);
    assert.match(again.stdout, /shards +12 of test, .*, already there/);

    await room.hub.stop();
    const data = `${hub}/wds_{dataset_cleaned}/tree/main`;
    const results = [
      await clipscope(["eval", address, ...common()]),
      await clipscope(["eval", "wds/colours", "--data", data, ...common()]),
    ];
    const golden = fixture(
      "eval/clip-benchmark/colours_demo-model_demo-model_en_zeroshot_classification.json",
    );
    for (const { status, stdout, stderr } of results) {
      assert.deepEqual([status, stderr], [0, ""]);
      assert.deepEqual(JSON.parse(stdout), [JSON.parse(readFileSync(golden, "utf8"))]);
    }
  });

  it("are downloaded by eval if they are not in the cache, under CLIP_benchmark's name", async () => {
    room.hub.add("datasets/clip-benchmark/wds_vtab-cifar10", filesOf("shapes"));
    const { status, stdout } = await clipscope(["eval", `${hub}/wds_vtab-cifar10`, ...common()]);
    assert.equal(status, 0);
    assert.equal((JSON.parse(stdout) as { dataset: string }[])[0]!.dataset, "wds/vtab/cifar10");
  });

  it("are read by the library, too", async () => {
    room.hub.add("datasets/clip-benchmark/wds_shapes", filesOf("shapes"));
    const progress: number[] = [];
    const dataset = await readDataset("wds/shapes", {
      data: `${hub}/wds_{dataset_cleaned}/tree/main`,
      onProgress: (done) => progress.push(done),
    });
    assert.deepEqual(
      [dataset.name, dataset.layout, dataset.kind],
      ["wds/shapes", "webdataset", "classification"],
    );
    assert.ok(progress.length > 0);
    await room.hub.stop();
    const model = await loadModel();
    try {
      const { metrics } = await evaluate(model, `${hub}/wds_shapes/tree/main`);
      const golden = fixture(
        "eval/clip-benchmark/shapes_demo-model_demo-model_en_zeroshot_classification.json",
      );
      const theirs = readFileSync(golden, "utf8").replace(/\bNaN\b/g, "null");
      assert.deepEqual(metrics, (JSON.parse(theirs) as { metrics: unknown }).metrics);
    } finally {
      await model.dispose();
    }
  });

  it("refuses what is not a dataset's address, and options that do not fit", async () => {
    for (const [args, message] of [
      [["eval", "https://example.org/x.tar"], /expected the address of a dataset such as/],
      [["pull", "--dataset", "https://example.org/x"], /expected the address of a dataset such as/],
      [["pull", "ViT-B-32", "--dataset", "a/b"], /give one of the two/],
      [["pull", "a/b", "--split", "test"], /--split requires --dataset/],
    ] as const) {
      const { status, stderr } = await clipscope(args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
    assert.deepEqual(room.hub.requests, []);
  });
});
