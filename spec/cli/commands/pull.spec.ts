import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { pretrained } from "../../../lib/clip/config/architectures/pretrained.ts";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import type { PullReport } from "../../../lib/node/hub/pull.ts";
import { SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { clipscope, clipscopeProcess } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { demo, demoFiles, fromFixture, hubRoom, weightsName } from "../../support/pull.ts";

const image = fixture("demo-model/samples/two-red-circles.png");
const model = `hf:${demo}`;

describe("clipscope pull", () => {
  const room = hubRoom();

  async function run(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await clipscope(args);
    assert.deepEqual([status, stderr], [0, ""]);
    return stdout;
  }

  async function refused(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await clipscope(args);
    assert.deepEqual([status, stdout], [2, ""]);
    return stderr;
  }

  /** The incomplete files of a pull of the demo, and the largest size among them. */
  async function unfinished(): Promise<{ names: string[]; size: number }> {
    const blobs = room.cache("models--clipscope--demo", "blobs");
    const names = (await readdir(blobs).catch(() => [])).filter((name) => name.includes("clipscope"));
    // A small file may be complete, and gone, before stat runs.
    const sizes = names.map((name) => stat(`${blobs}/${name}`).catch(() => ({ size: 0 })));
    return { names, size: Math.max(0, ...(await Promise.all(sizes)).map(({ size }) => size)) };
  }

  it("reports the files, where they are and how to use them", async () => {
    const commit = room.hub.add(demo, demoFiles);
    const folder = room.cache("models--clipscope--demo", "snapshots", commit);
    assert.deepEqual((await run("pull", demo)).split("\n"), [
      `repository    clipscope/demo (main, commit ${commit.slice(0, 12)})`,
      "architecture  from its config",
      "  open_clip_config.json          0.6 kB  0.6 kB downloaded, verified",
      "  text/config.json               0.6 kB  0.6 kB downloaded, verified",
      "  open_clip_model.safetensors    1.7 MB  1.7 MB downloaded, verified",
      "  tokenizer.json               372.5 kB  372.5 kB downloaded, verified",
      `folder        ${folder}`,
      "use with      --model hf:clipscope/demo",
      "",
    ]);
    const report = JSON.parse(await run("pull", model, "--json")) as PullReport;
    assert.deepEqual([report.commit, report.folder, report.model], [commit, folder, model]);
    assert.deepEqual(
      report.files.map(({ path, downloaded, location }) => [
        path,
        downloaded,
        location.slice(folder.length + 1),
      ]),
      ["open_clip_config.json", "text/config.json", weightsName, "tokenizer.json"].map((name) => [
        name,
        0,
        name,
      ]),
    );
  });

  it("makes the model available to every command", async () => {
    room.hub.add(demo, demoFiles, { revision: "v1" });
    await run("pull", demo, "--revision", "v1");
    const commands = [
      ["classify", image, "--labels", "two red circles,a blue square"],
      ["tokenize", "two red circles"],
      ["inspect", "--depth", "1", "--json"],
    ];
    for (const command of commands) {
      assert.equal(await run(...command, "--model", `${model}@v1`), await run(...command), command[0]);
    }
    assert.match(await run("inspect", `${model}@v1`), /^[\w,]+ parameters in \d+ tensors$/m);
    assert.match(await run("diff", `${model}@v1`, fixture("demo-model")), /^\d+ identical\n$/);
    const converted = room.cache("..", "converted");
    assert.match(await run("convert", `${model}@v1`, converted), /^copied .*tokenizer\.json/m);
    assert.equal(
      await run("diff", converted, fixture("demo-model")),
      await run("diff", `${model}@v1`, converted),
    );
    await run("embed", "--images", image, "--out", room.cache("features"), "--model", `${model}@v1`);
    const features = await SafetensorsFile.open(await FileSource.open(room.cache("features")));
    assert.equal(features.metadata["model"], demo);
    await features.close();
    const missing = await refused("classify", image, "--labels", "a,b", "--model", model);
    assert.match(
      missing,
      /^clipscope: hf:clipscope\/demo: not in .*; run "clipscope pull clipscope\/demo"\n$/,
    );
    assert.match(
      await refused("inspect", "hf:a/b@c@d"),
      /^clipscope: hf:a\/b@c@d: expected a repository such as/,
    );
  });

  it("pulls a repository without config and tokenizer", async () => {
    const { repository } = pretrained.find(({ tag }) => tag === "frozen_laion5b_s13b_b90k")!;
    room.hub.add(repository, { "open_clip_pytorch_model.bin": new Uint8Array(200_000) });
    room.hub.add("xlm-roberta-large", { "tokenizer.json": demoFiles["tokenizer.json"]! });
    const stdout = await run("pull", "xlm-roberta-large-ViT-H-14");
    assert.match(stdout, /^architecture {2}xlm-roberta-large-ViT-H-14$/m);
    assert.match(stdout, /^ {2}tokenizer\.json of xlm-roberta-large +372\.5 kB/m);
    assert.match(await run("tokenize", "a cat", "--model", `hf:${repository}`), /^ids +0 4 134 463 2$/m);
  });

  it("lists the published models without a name, and accepts their names", async () => {
    const help = await run("pull");
    for (const { architecture, tag, repository } of pretrained) {
      assert.ok(help.includes(`  ${repository}\n      ${architecture} ${tag}\n`));
    }
    assert.deepEqual(JSON.parse(await run("pull", "--json")), pretrained);
    assert.equal(
      await refused("pull", "ViT-B-32"),
      "clipscope: ViT-B-32: expected one of its tags\n  ViT-B-32 laion2b_s34b_b79k\n  ViT-B-32 datacomp_xl_s13b_b90k\n",
    );
    assert.match(
      await refused("pull", "ViT-B-32", "openai"),
      /^clipscope: ViT-B-32 openai: expected an architecture and/,
    );
    assert.match(
      await refused("pull", "RN50"),
      /^clipscope: RN50: expected an architecture and a tag from this/,
    );
    assert.match(await refused("pull", "a/b", "--arch", "nope"), /^clipscope: .*nope/);
    assert.match(
      await refused("pull", "no/such/name"),
      /^clipscope: no\/such\/name: expected a repository such as/,
    );
    assert.match(await refused("pull", `${demo}@a`, "--revision", "b"), /give the revision only once/);
    room.hub.add("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", { [weightsName]: new Uint8Array(200_000) });
    assert.match(await run("pull", "ViT-B-32", "laion2b_s34b_b79k"), /^architecture {2}ViT-B-32$/m);
  });

  it("shows progress, rate and reasons for waiting on a terminal", async () => {
    const large = new Uint8Array(9_000_000);
    const files = { ...fromFixture("tiny/plain", ["open_clip_config.json"]), [weightsName]: large };
    room.hub.add("someone/large", files);
    let faults = 1;
    room.hub.fault = ({ at }) => (at === "cdn" && faults-- > 0 ? { cutAfter: 5_000_000 } : undefined);
    const { stderr, status } = await clipscope(["pull", "someone/large"], { columns: 80 });
    assert.equal(status, 0);
    assert.match(stderr, /█ +\d\/9 MB, [\d.]+\/s, \d+s left/);
    assert.match(stderr, /localhost:\d+: the connection failed .*; trying again in 1 s/);
  });

  it("keeps the incomplete file after SIGINT, says so, and ends by the signal", async () => {
    room.hub.add(demo, demoFiles);
    room.hub.fault = ({ at }) => (at === "cdn" ? { silentAfter: 600_000 } : undefined);
    const begun = (async () => {
      while ((await unfinished()).size < 600_000) await sleep(20);
    })();
    const { signal, stderr, stdout } = await clipscopeProcess(["pull", demo], { interruptAfter: begun });
    assert.equal(signal, "SIGINT");
    assert.equal(stderr, "clipscope: interrupted; run the same command to resume the download\n");
    assert.equal(stdout, "");
    const { names, size } = await unfinished();
    assert.deepEqual([names.length, size], [1, 600_000], "no lock is left");
    room.hub.fault = () => undefined;
    await run("pull", demo);
    assert.equal(room.hub.downloads.at(-2)!.range, "bytes=600000-");
  });

  it("reports a file size limit in one line, and resumes in the next run", async () => {
    room.hub.add(demo, demoFiles);
    const { status, stderr } = await clipscopeProcess(["pull", demo], { fileLimit: 2000 });
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*\.incomplete: the file exceeds the size limit \(ulimit -f, .*\n$/);
    const { size } = await unfinished();
    assert.ok(size > 0 && size <= 2000 * 1024);
    await run("pull", demo);
    assert.equal(room.hub.downloads.at(-2)!.range, `bytes=${size}-`);
  });
});
