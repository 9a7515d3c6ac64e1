/** `clipscope eval`, against the results of CLIP_benchmark's own command line. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "../../support/paths.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const data = fixture("eval/webdatasets");
const golden = fixture("eval/clip-benchmark");

/** CLIP_benchmark writes NaN, which is not valid JSON. */
function readResult(file: string): unknown {
  return JSON.parse(readFileSync(file, "utf8").replace(/\bNaN\b/g, "null"));
}

describe("clipscope eval", () => {
  const folder = temporaryFolder();

  function evaluate(...args: readonly string[]): Promise<Result> {
    return clipscope(["eval", "--backend", "wasm", "--features", folder.file("features"), ...args]);
  }

  const ks = ["1", "5", "10"].flatMap((k) => ["--recall-k", k]);
  const italian = [
    ...[
      "--classnames",
      join(data, "italian_names.json"),
      "--templates",
      join(data, "italian_templates.json"),
    ],
    ...["--language", "it", "--dump-classnames", "--dump-templates"],
  ];

  it("writes the files of CLIP_benchmark, with its keys in its order and its figures", async () => {
    const out = folder.file("results");
    const names = ["colours", "shapes", "tags", "captions"].map((name) => `wds/${name}`);
    const english = await evaluate(...names, "--data", join(data, "{dataset}"), ...ks, "--out", out);
    const other = await evaluate("wds/colours", "--data", data, ...italian, "--out", out, "--json");
    assert.deepEqual([english.status, english.stderr, other.status, other.stderr], [0, "", 0, ""]);

    const files = readdirSync(golden).filter((name) => name.endsWith(".json"));
    assert.equal(files.length, 5);
    assert.deepEqual(
      readdirSync(out)
        .filter((name) => name.endsWith(".json"))
        .sort(),
      files.sort(),
    );
    for (const file of files) {
      const [ours, theirs] = [readResult(join(out, file)), readResult(join(golden, file))];
      assert.equal(JSON.stringify(ours), JSON.stringify(theirs), file);
    }
    const dumped = files.find((name) => name.includes("_it_"))!;
    assert.equal(
      JSON.stringify(JSON.parse(other.stdout)),
      JSON.stringify([readResult(join(golden, dumped))]),
    );
  });

  it("reads no image for another language, and nothing at all for a finished result", async () => {
    const copy = folder.file("colours");
    cpSync(join(data, "colours"), copy, { recursive: true });
    const first = await evaluate(copy, "--out", folder.file("results"));
    assert.equal(first.status, 0);
    const before = readdirSync(folder.file("features"));
    // Any pass over the images would need a working model of the same digest, and would write another file.
    const second = await evaluate(copy, ...italian, "--out", folder.file("results"));
    assert.equal(second.status, 0);
    assert.deepEqual(readdirSync(folder.file("features")), before);
    rmSync(folder.file("features"), { recursive: true });
    const third = await evaluate(copy, "--out", folder.file("results"));
    assert.match(third.stdout, /\(finished before\)/);
    assert.throws(() => readdirSync(folder.file("features")), { code: "ENOENT" });
  });

  it("refuses to write into the folder of the classes, which the next run would read as one", async () => {
    const copy = folder.file("colours");
    for (const name of ["red", "blue"]) {
      mkdirSync(join(copy, name), { recursive: true });
      cpSync(fixture("demo-model/samples/two-red-circles.png"), join(copy, name, "1.png"));
    }
    const before = readdirSync(copy, { recursive: true });
    for (const args of [
      ["--out", copy],
      ["--out", join(copy, "results")],
      ["--features", join(copy, "..", "colours", "x")],
    ]) {
      const { status, stderr } = await clipscope(["eval", copy, ...args, "--backend", "wasm"]);
      assert.equal(status, 2);
      assert.match(stderr, /^clipscope: \S+: expected a folder outside the dataset \S*colours\b[^\n]*\n$/);
      assert.deepEqual(readdirSync(copy, { recursive: true }), before);
    }
    assert.equal((await evaluate(copy, "--out", folder.file("colours-results"))).status, 0);
  });

  it("marks results without all images as partial, and compares none of them", async () => {
    const copy = folder.file("pictures");
    for (const name of ["red", "blue"]) mkdirSync(join(copy, name), { recursive: true });
    for (let i = 0; i < 4; i++) {
      cpSync(fixture("demo-model/samples/two-red-circles.png"), join(copy, "red", `${i}.png`));
      cpSync(fixture("demo-model/samples/four-purple-squares.jpg"), join(copy, "blue", `${i}.jpg`));
    }
    writeFileSync(join(copy, "blue", "broken.png"), "not an image");
    const published = folder.file("published.json");
    const figure = { model: "demo-model", pretrained: "demo-model", dataset: "pictures", language: "en" };
    writeFileSync(
      published,
      JSON.stringify({
        sources: { s: { decimals: 4, tolerance: 0.002 } },
        figures: [{ ...figure, metric: "acc1", value: 0.1, source: "s" }],
      }),
    );
    const failed = await evaluate(copy, "--compare", published, "--json");
    assert.equal(failed.status, 2);
    assert.match(failed.stderr, /broken\.png: /);
    assert.equal((JSON.parse(failed.stdout) as { partial: boolean }[])[0]!.partial, true);
    // The second run takes the embeddings, and still lists the image.
    const again = await evaluate(copy, "--compare", published);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /broken\.png: could not be read when /);
    assert.match(again.stdout, /partial: 8 of 9 images/);

    rmSync(join(copy, "blue", "broken.png"));
    const limited = await evaluate(copy, "--compare", published, "--limit", "1", "--json");
    assert.equal(limited.status, 0);
    assert.equal((JSON.parse(limited.stdout) as { partial: boolean }[])[0]!.partial, true);
    const compared = await evaluate(copy, "--compare", published);
    assert.equal(compared.status, 1);
    assert.match(compared.stdout, /acc1 .* 0\.1000 .* ✗ {2}s\n/);
    const tolerated = await evaluate(copy, "--compare", published, "--tolerance", "1");
    assert.equal(tolerated.status, 0);
  });

  it("shows what would be evaluated, without a model", async () => {
    const { status, stdout } = await evaluate(
      "wds/colours",
      "--data",
      data,
      "--dry-run",
      "--model",
      "nowhere",
    );
    assert.equal(status, 0);
    assert.match(stdout, /time +unknown without a model \(nowhere: /);
    assert.match(stdout, /images +36\n/);
    assert.match(stdout, /texts +18, 18 different\n/);
    assert.match(stdout, /class names +6 from .*classnames\.txt\n/);
    assert.match(stdout, /first prompts +"red", "a photo of a red shape", /);
    assert.match(stdout, /blank +class 5\n/);
  });

  it("shows what is left to embed, with images and texts that evaluations share counted once", async () => {
    interface Plan {
      readonly remaining: { readonly images: number; readonly texts: number; readonly seconds: number };
    }
    const plan = async (...args: readonly string[]): Promise<Plan["remaining"][]> => {
      const { status, stdout } = await evaluate(
        "wds/colours",
        "--data",
        data,
        "--dry-run",
        "--json",
        ...args,
      );
      assert.equal(status, 0);
      return (JSON.parse(stdout) as Plan[]).map(({ remaining }) => remaining);
    };
    const [first, second] = await plan("--language", "en", "--language", "it");
    assert.deepEqual([first?.images, first?.texts, second?.images, second?.texts], [36, 18, 0, 0]);
    assert.ok(first!.seconds > 0 && second!.seconds === 0);
    assert.throws(() => readdirSync(folder.file("features")), { code: "ENOENT" });
    assert.equal((await evaluate("wds/colours", "--data", data)).status, 0);
    assert.deepEqual(await plan(), [{ images: 0, texts: 0, seconds: 0 }]);
    const [other] = await plan(...italian.slice(0, 6));
    assert.deepEqual([other?.images, (other?.texts ?? 0) > 0], [0, true]);
  });

  it("warns where a language only names the result, and refuses unknown languages", async () => {
    const named = await evaluate("wds/colours", "--data", data, "--language", "it");
    assert.equal(named.status, 0);
    assert.match(named.stderr, /^clipscope: wds\/colours: --language it only names the result, .*\n$/);
    for (const name of ["wds/colours", "wds/captions"]) {
      const { status, stdout, stderr } = await evaluate(name, "--data", data, "--language", "xx");
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(
        stderr,
        /"xx" is not a code of CLIP_benchmark; expected one of these.*\n {2}ar .*cn .*en /,
      );
    }
  });

  it("fits a linear probe with a part of the training images as the validation split", async () => {
    const given = ["wds/shapes", "--data", data, "--task", "linear_probe", "--train-split", "test", "--json"];
    const metrics = async (...args: readonly string[]): Promise<Record<string, number>> => {
      const { status, stdout } = await evaluate(...given, ...args);
      assert.equal(status, 0);
      return (JSON.parse(stdout) as [{ metrics: Record<string, number> }])[0].metrics;
    };
    assert.equal((await metrics())["weight_decay"], 0);
    const searched = await metrics("--val-proportion", "0.25");
    assert.ok(searched["weight_decay"]! > 0);
    assert.deepEqual(await metrics("--val-proportion", "0.25"), searched);
    for (const [args, message] of [
      [["--val-proportion", "1"], /expected a number between 0 and 1/],
      [["--val-proportion", "0.001"], /expected a proportion that leaves images in both parts/],
      [["--val-proportion", "0.5", "--val-split", "test"], /cannot be used with/],
    ] as [string[], RegExp][]) {
      const { status, stderr } = await evaluate(...given, ...args);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });

  it("fits a linear probe on another split", async () => {
    const given = ["wds/shapes", "--data", data, "--task", "linear_probe", "--train-split", "test", "--json"];
    const { status, stdout } = await evaluate(...given);
    assert.equal(status, 0);
    const [record] = JSON.parse(stdout) as [{ task: string; metrics: Record<string, unknown> }];
    assert.equal(record.task, "linear_probe");
    const names = ["lp_acc1", "lp_acc5", "lp_mean_per_class_recall", "weight_decay", "epochs", "seed"];
    assert.deepEqual(Object.keys(record.metrics), [...names, "fewshot_k", "normalized"]);
    assert.equal(record.metrics["lp_acc5"], null);
    assert.ok((record.metrics["lp_acc1"] as number) > 0.8);
  });

  for (const [args, message] of [
    [
      ["wds/nothing", "--data", data],
      /wds\/nothing: expected the folder of a dataset, found none \(looked at /,
    ],
    [["wds/tags", "--data", data, "--split", "val"], /the splits are test; choose with --split/],
    [["wds/tags", "--data", data, "--task", "zeroshot_retrieval"], /holds multilabel, which is for/],
    [["wds/captions", "--data", data, "--recall-k", "99"], /recall@99: expected a whole number from 1 to/],
    [["wds/captions", "--data", data, "--recall-k", "0"], /--recall-k 0: expected a whole number above 0/],
    [
      ["wds/shapes", "--data", data, "--classnames", join(data, "italian_names.json")],
      /no class names for wds\/shapes/,
    ],
    [["wds/colours", "--data", data, "--compare", "nothing.json"], /nothing\.json: /],
  ] as [string[], RegExp][]) {
    it(`refuses: ${args.slice(0, 1).concat(args.slice(3)).join(" ").slice(0, 60)}`, async () => {
      const { status, stdout, stderr } = await evaluate(...args);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, message);
    });
  }

  it("evaluates the other datasets after one that is damaged", async () => {
    const { status, stdout } = await evaluate("wds/nothing", "wds/shapes", "--data", data, "--json");
    assert.equal(status, 2);
    assert.equal((JSON.parse(stdout) as unknown[]).length, 1);
  });
});
