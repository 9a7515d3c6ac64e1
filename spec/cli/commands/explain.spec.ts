import { strict as assert } from "node:assert";
import { readdir } from "node:fs/promises";
import { memory } from "@tensorflow/tfjs-core";
import { Jimp } from "jimp";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { assertNear } from "../../support/near.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const image = `${demoModel}/samples/three-brown-stars.png`;
const text = "three brown stars";

interface Report {
  readonly score: number;
  readonly methods: readonly {
    readonly method: string;
    readonly map: { readonly rows: number; readonly columns: number; readonly values: readonly number[] };
    readonly deletion?: { readonly largestFirst: number; readonly smallestFirst: number };
  }[];
  readonly files: readonly string[];
  readonly tokens?: readonly {
    readonly token: string;
    readonly leaveOneOut: number | null;
    readonly relevance: number;
  }[];
}

describe("clipscope explain", () => {
  const folder = temporaryFolder();

  const explain = (...args: string[]): Promise<Result> =>
    clipscope(["explain", image, "--backend", "wasm", "--out", folder.file("why"), ...args]);

  async function report(...args: string[]): Promise<Report> {
    const { status, stdout, stderr } = await explain("--json", ...args);
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Report;
  }

  const methods = ["gradient", "integrated", "relevance", "occlusion"];

  it("draws a map for each method, and explains the score that search computes", async () => {
    const before = memory().numTensors;
    const found = await report(
      "--text",
      text,
      ...methods.flatMap((method) => ["--method", method]),
      "--steps",
      "2",
    );
    assert.equal(memory().numTensors, before);
    assert.deepEqual(
      found.methods.map(({ method }) => method),
      methods,
    );
    assert.deepEqual(
      (await readdir(folder.file("why"))).sort(),
      methods.map((method) => `${method}.png`).sort(),
    );
    for (const { map } of found.methods)
      assert.deepEqual([map.rows, map.columns, map.values.length], [6, 6, 36]);
    const { width, height } = await Jimp.read(found.files[0]!);
    assert.ok(width === 336 && height > 336);
    const { stdout } = await clipscope(["search", text, image, "--backend", "wasm", "--json"]);
    const [match] = JSON.parse(stdout) as { similarity: number }[];
    assertNear([found.score], [match!.similarity], 1e-5);
  });

  it("occlusion finds stars: their patches matter more than the background's", async () => {
    const {
      methods: [found],
    } = await report(
      "--text",
      text,
      "--against",
      "two brown stars,three red hearts",
      "--method",
      "occlusion",
      "--window",
      "14",
      "--stride",
      "14",
      "--deletion",
    );
    const { values } = found!.map;
    const corner = values[0]!; // nothing but background
    assert.ok(Math.max(...values) > 5 * Math.abs(corner), `${Math.max(...values)}, in a corner ${corner}`);
    const { largestFirst, smallestFirst } = found!.deletion!;
    assert.ok(largestFirst < smallestFirst, `${largestFirst} and ${smallestFirst}`);
  });

  it("--against and --start-layer change the map", async () => {
    const maps: (readonly number[])[] = [];
    for (const args of [[], ["--against", "two brown stars"], ["--start-layer", "3"]]) {
      maps.push((await report("--text", text, ...args)).methods[0]!.map.values);
    }
    assert.notDeepEqual(maps[0], maps[1]);
    assert.notDeepEqual(maps[0], maps[2]);
  });

  it("--tokens shows what the text's tokens matter", async () => {
    const { tokens = [] } = await report("--text", text, "--tokens");
    assert.deepEqual(
      tokens.map(({ token }) => token),
      ["<s>", "▁three", "▁brown", "▁stars", "</s>"],
    );
    assert.deepEqual([tokens[0]!.leaveOneOut, tokens[4]!.leaveOneOut], [null, null]);
    assert.ok(
      tokens.slice(1, 4).every(({ leaveOneOut }) => leaveOneOut! > 0),
      "each word speaks for the image",
    );
    const table = await explain("--text", text, "--tokens");
    assert.match(
      table.stdout,
      /^score 0\.\d{4}: cosine to "three brown stars"\n\ntoken +drop without it +gradient +relevance\n<s> /,
    );
  });

  const wrong: [args: string[], message: RegExp][] = [
    [[], /^clipscope: required option '--text <text>' not specified\n$/],
    [["--text", " "], /^clipscope: --text: expected a text, found a blank one\n$/],
    [["--text", text, "--against", "a,,b"], /^clipscope: --against: text 2 is empty; remove it\n$/],
    [
      ["--text", text, "--method", "magic"],
      /^clipscope: --method "magic": expected one of gradient, integrated, relevance, occlusion\n$/,
    ],
    [["--text", text, "--steps", "4"], /^clipscope: --steps requires --method integrated\n$/],
    [
      ["--text", text, "--method", "gradient", "--start-layer", "0"],
      /^clipscope: --start-layer requires --method relevance\n$/,
    ],
    [["--text", text, "--start-layer", "4"], /^clipscope: layer 4: the image tower has the layers 0 to 3\n$/],
    [
      ["--text", text, "--method", "occlusion", "--window", "85"],
      /^clipscope: occlusion: window: expected at most 84 pixels, the image's side, found 85\n$/,
    ],
  ];
  for (const [args, message] of wrong) {
    it(`refuses: ${message.source.slice(13, 60)}`, async () => {
      const { status, stdout, stderr } = await explain(...args);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, message);
    });
  }

  it("refuses a file that is not an image, and leaves no drawing", async () => {
    const { status, stderr } = await clipscope([
      ...["explain", `${demoModel}/open_clip_config.json`, "--text", text],
      ...["--backend", "wasm", "--out", folder.file("none")],
    ]);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*open_clip_config\.json: .*\n$/);
    assert.deepEqual(await readdir(folder.file("none")), []);
  });
});
