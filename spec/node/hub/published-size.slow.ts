/**
 * A model of the published size with synthetic weights: pulls 4.8 GB from a hub on loopback with a dropped connection, and
 * classifies an image in four languages. Prints time and memory.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream, statfsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { declaredTensors } from "../../../lib/clip/network.ts";
import { architectureByName, parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { SyntheticStore } from "../../../lib/tensor/synthetic.ts";
import { planWeights, writeWeights } from "../../../tools/convert/write-weights.ts";
import { clipscopeProcess } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { peakMemory, reportingPeak } from "../../support/peak-memory.ts";
import { demoFiles, hubRoom, weightsName } from "../../support/pull.ts";

const arch = "xlm-roberta-large-ViT-H-14";
const repository = "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k";
/** The hub's file and the copy in the cache. */
const neededBytes = 10e9;

const { bavail, bsize } = statfsSync(tmpdir());
const free = bavail * bsize;

describe("the published size", function () {
  this.timeout(20 * 60_000);
  const room = hubRoom();

  if (free < neededBytes) {
    // Not a pending spec, because mocha fails on those.
    console.log(
      `SKIPPED: pulling 4.8 GB needs ${neededBytes / 1e9} GB in ${tmpdir()}, which has ${(free / 1e9).toFixed(1)} GB`,
    );
    return;
  }

  it("is pulled, and classifies in four languages", async () => {
    const weights = join(room.home, "synthetic.safetensors");
    const config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
    const store = new SyntheticStore(declaredTensors(config));
    const plan = planWeights(store, [...store.tensors.keys()], undefined);
    await writeWeights(weights, store, plan, {}, () => undefined);
    const hash = createHash("sha256");
    await pipeline(createReadStream(weights), hash);
    const { size } = await stat(weights);
    const blob = {
      size,
      digest: hash.digest("hex"),
      read: (start: number, end: number) =>
        createReadStream(weights, { start, end: Math.max(start, end - 1) }),
    };
    // Like the published repository: no config, and the tokenizer in another repository.
    room.hub.add(repository, { [weightsName]: blob });
    room.hub.add("xlm-roberta-large", { "tokenizer.json": demoFiles["tokenizer.json"]! });
    let cuts = 1;
    room.hub.fault = ({ at }) => (at === "cdn" && cuts-- > 0 ? { cutAfter: 2e9 } : undefined);

    const pulled = await timed("pull", [repository]);
    assert.ok(pulled.peak < 300e6, `peak memory ${pulled.peak}`);
    assert.match(
      pulled.stdout,
      /^ {2}open_clip_model\.safetensors +4\.77 GB {2}4\.77 GB downloaded, verified$/m,
    );
    const [whole, rest] = room.hub.downloads.map(({ range }) => range);
    assert.equal(whole, undefined);
    const offset = Number(/^bytes=(\d+)-$/.exec(rest!)?.[1]);
    assert.ok(offset > 1.9e9 && offset <= 2e9, rest);
    const image = fixture("demo-model/samples/two-red-circles.png");
    const labels = "two red circles,zwei rote Kreise,两个红色的圆形,due cerchi rossi";
    const answered = await timed("classify", [image, "--labels", labels, "--model", `hf:${repository}`]);
    assert.equal(answered.stdout.match(/%/g)?.length, 4);
  });

  async function timed(command: string, args: string[]): Promise<{ stdout: string; peak: number }> {
    const start = performance.now();
    const result = await clipscopeProcess([command, ...args], { nodeArgs: reportingPeak });
    const seconds = (performance.now() - start) / 1000;
    assert.equal(result.status, 0, result.stderr);
    const peak = peakMemory(result.stderr);
    console.log(`      ${command} in ${seconds.toFixed(1)} s, peak memory ${(peak / 1e9).toFixed(2)} GB`);
    return { stdout: result.stdout, peak };
  }
});
