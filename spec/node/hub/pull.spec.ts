import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { findWeights, readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { pullModel, type PullOptions, type PullReport } from "../../../lib/node/hub/pull.ts";
import { readTokenizer } from "../../../lib/node/models/read-tokenizer.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { gitBlobName, goodToken, type Fault, type SeenRequest } from "../../support/hub-server.ts";
import { demo, demoFiles, fromFixture, hubRoom, weightsName } from "../../support/pull.ts";

const weights = Buffer.from(demoFiles[weightsName]!);
/** SHA-256 of the demo model's weights, as `sha256sum` prints it. */
const weightsDigest = "ac58b776f5b28bdd3d2edd5ea1f23503e075986c2b5605fc939d44ba180ddb3e";
const multilingual = "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k";

const quick = { attempts: 3, firstDelay: 1, silence: 20_000 };
const pull = (name: string, options: PullOptions = {}): Promise<PullReport> =>
  pullModel(name, { patience: quick, ...options });

/** Fails with a line for people that matches all patterns. */
async function assertRefused(work: Promise<unknown>, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof InputError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

describe("pullModel", () => {
  const room = hubRoom();
  const blob = (digest = weightsDigest): string => room.cache("models--clipscope--demo", "blobs", digest);
  const partial = (): string => `${blob()}.clipscope.incomplete`;

  /** A fault for the next requests of the weights' bytes, one after the other. */
  function disturbDownloads(...faults: Fault[]): void {
    room.hub.fault = ({ at }) => (at === "cdn" ? faults.shift() : undefined);
  }

  it("leaves what huggingface_hub would, of the files that are needed", async () => {
    const commit = room.hub.add(demo, demoFiles);
    const { files, folder, model, ...report } = await pull(demo);
    assert.deepEqual(report, { repository: demo, revision: "main", commit, architecture: null });
    assert.equal(model, "hf:clipscope/demo");
    const names = ["open_clip_config.json", "text/config.json", weightsName, "tokenizer.json"];
    assert.deepEqual(
      files.map(({ path, size, downloaded }) => [path, size, downloaded]),
      names.map((name) => [name, demoFiles[name]!.length, demoFiles[name]!.length]),
    );
    const place = room.cache("models--clipscope--demo");
    assert.equal(folder, join(place, "snapshots", commit));
    assert.equal(await readFile(join(place, "refs", "main"), "utf8"), commit);
    assert.equal(await readlink(join(folder, weightsName)), `../../blobs/${weightsDigest}`);
    assert.match(await readlink(join(folder, "text/config.json")), /^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    for (const name of names)
      assert.deepEqual(await readFile(join(folder, name)), Buffer.from(demoFiles[name]!));
    assert.equal((await readdir(join(place, "blobs"))).length, names.length, "nothing else is left");
    // As `git hash-object` says.
    assert.equal(gitBlobName(Buffer.from("hello\n")), "ce013625030ba8dba906f756967f9e9ca394464a");
  });

  it("loadModel takes it under its name; nothing is downloaded twice", async () => {
    const commit = room.hub.add(demo, demoFiles);
    await assertRefused(
      loadModel(`hf:${demo}`),
      /^hf:clipscope\/demo: not in .*; run "clipscope pull clipscope\/demo"$/,
    );
    await pull(demo);
    for (const name of [`hf:${demo}`, `hf:${demo}@main`, `hf:${demo}@${commit}`]) {
      const model = await loadModel(name);
      await model.dispose();
    }
    room.hub.requests.length = 0;
    const { files } = await pull(demo);
    assert.ok(files.every(({ downloaded }) => downloaded === 0));
    assert.deepEqual(
      room.hub.requests.filter(({ path }) => !path.startsWith("/api/")),
      [],
    );
    await assertRefused(loadModel(`hf:${demo}@v2`), /run "clipscope pull clipscope\/demo --revision v2"/);
  });

  it("finds what another program left in the cache", async () => {
    const commit = "0123456789012345678901234567890123456789";
    const place = room.cache("models--clipscope--demo");
    for (const [name, bytes] of Object.entries(demoFiles)) {
      const link = join(place, "snapshots", commit, name);
      await mkdir(dirname(link), { recursive: true });
      await mkdir(join(place, "blobs"), { recursive: true });
      await writeFile(join(place, "blobs", gitBlobName(Buffer.from(bytes))), bytes);
      await symlink(join(place, "blobs", gitBlobName(Buffer.from(bytes))), link);
    }
    await mkdir(join(place, "refs"));
    await writeFile(join(place, "refs", "main"), commit);
    process.env["HF_HUB_OFFLINE"] = "1";
    const model = await loadModel(`hf:${demo}`);
    await model.dispose();
    assert.deepEqual(room.hub.requests, []);
  });

  it("goes on where a connection was cut, and asks for nothing twice", async () => {
    room.hub.add(demo, demoFiles);
    const waits: string[] = [];
    const arrived: number[] = [];
    let last = 0;
    disturbDownloads({ cutAfter: 1_000_000 }, { silentAfter: 500_000 });
    await pull(demo, {
      patience: { ...quick, silence: 1500 },
      onWait: (reason) => {
        waits.push(reason);
        arrived.push(last);
      },
      onProgress: (done, before, total) => {
        assert.ok(done > last && before === 0 && done <= total);
        last = done;
      },
    });
    assert.equal(waits.length, 2);
    assert.match(waits[0]!, /^localhost:\d+: the connection failed .*; trying again in 1 s$/);
    assert.match(waits[1]!, /no byte for 1\.5 s/);
    const ranges = room.hub.downloads
      .filter(({ path }) => path.endsWith(weightsDigest))
      .map(({ range }) => range);
    assert.equal(ranges[0], undefined);
    assert.deepEqual(
      ranges.slice(1),
      arrived.map((bytes) => `bytes=${bytes}-`),
    );
    assert.ok(arrived[0]! > 0 && arrived[0]! <= 1_000_000 && arrived[1]! > arrived[0]!, `${arrived}`);
    assert.equal(last, weights.length + demoFiles["tokenizer.json"]!.length);
    assert.deepEqual(await readFile(blob()), weights);
  });

  it("gives up after failures in a row, keeps the part, and the next run goes on from there", async () => {
    const commit = room.hub.add(demo, demoFiles);
    disturbDownloads({ cutAfter: 700_000 }, { cutAfter: 0 }, { status: 503 });
    await assertRefused(pull(demo), /status 503\), 3 times; the same command tries again, and goes on/);
    const { size } = await stat(partial());
    assert.ok(size > 0 && size <= 700_000, `${size}`);
    const place = room.cache("models--clipscope--demo");
    assert.deepEqual(await readdir(join(place, "snapshots", commit)), ["open_clip_config.json", "text"]);
    await assert.rejects(stat(join(place, "refs", "main")), "nothing half-made is taken for the model");
    room.hub.requests.length = 0;
    const { files } = await pull(demo);
    assert.equal(room.hub.downloads[0]!.range, `bytes=${size}-`);
    assert.equal(files.find(({ path }) => path === weightsName)!.downloaded, weights.length - size);
    assert.deepEqual(await readFile(blob()), weights);
  });

  it("begins anew where a server does not know of ranges", async () => {
    room.hub.add(demo, demoFiles);
    disturbDownloads({ cutAfter: 900_000 }, { ignoresRange: true });
    await pull(demo);
    assert.deepEqual(await readFile(blob()), weights);
    await assert.rejects(stat(partial()));
  });

  it("refuses bytes that are not those that the hub names, and forgets them", async () => {
    room.hub.add(demo, demoFiles);
    disturbDownloads({ corrupt: true });
    await assertRefused(
      pull(demo),
      new RegExp(
        `^${weightsName}: expected SHA-256 ${weightsDigest}, found [0-9a-f]{64}; .*run the command again$`,
      ),
    );
    await assert.rejects(stat(partial()));
    await assert.rejects(stat(blob()));
    room.hub.fault = ({ path }) => (path.endsWith("/open_clip_config.json") ? { corrupt: true } : undefined);
    room.hub.add("clipscope/small", demoFiles);
    await assertRefused(
      pull("clipscope/small"),
      /^open_clip_config\.json: expected git's SHA-1 [0-9a-f]{40}, found/,
    );
  });

  it("finds out when the part that it goes on from is damaged", async () => {
    room.hub.add(demo, demoFiles);
    disturbDownloads({ cutAfter: 700_000 }, { status: 500 }, { status: 500 }, { status: 500 });
    await assertRefused(pull(demo), /status 500/);
    const bytes = await readFile(partial());
    bytes[5]! ^= 1;
    await writeFile(partial(), bytes);
    await assertRefused(pull(demo), /expected SHA-256/);
    await pull(demo);
    assert.deepEqual(await readFile(blob()), weights);
  });

  it("a part that is too long is not of this file", async () => {
    room.hub.add(demo, demoFiles);
    await mkdir(dirname(partial()), { recursive: true });
    await writeFile(partial(), new Uint8Array(weights.length + 1));
    await pull(demo);
    assert.equal(room.hub.downloads[0]!.range, undefined);
    assert.deepEqual(await readFile(blob()), weights);
  });

  it("waits as long as a busy server asks", async () => {
    room.hub.add(demo, demoFiles);
    const waits: string[] = [];
    const faults: (Fault | undefined)[] = [{ status: 429, headers: { "retry-after": "1" } }, { status: 502 }];
    room.hub.fault = () => faults.shift();
    const start = performance.now();
    await pull(demo, { onWait: (reason) => waits.push(reason) });
    assert.ok(performance.now() - start >= 1000);
    assert.match(waits[0]!, /too many requests \(status 429\); trying again in 1 s/);
    assert.match(waits[1]!, /status 502/);
  });

  it("says why it is refused, and the way out", async () => {
    room.hub.add("clipscope/private", demoFiles, { access: "private" });
    room.hub.add("clipscope/gated", demoFiles, { access: "gated" });
    room.hub.add(demo, demoFiles);
    await assertRefused(
      pull("clipscope/private"),
      /^clipscope\/private: .*status 401.*check its name, or give a token in HF_TOKEN$/,
    );
    await assertRefused(
      pull("clipscope/gated"),
      /^clipscope\/gated: .*conditions.* at http:.*\/clipscope\/gated, then give a token/,
    );
    await assertRefused(pull(demo, { revision: "v9" }), /^clipscope\/demo: has no such revision/);
    process.env["HF_TOKEN"] = goodToken;
    await assertRefused(
      pull("clipscope/nothing"),
      /^clipscope\/nothing: not found at .*404.*check its name$/,
    );
    await pull("clipscope/private");
    process.env["HF_TOKEN"] = "hf_bad";
    await assertRefused(pull("clipscope/private"), /give another token in HF_TOKEN$/);
  });

  it("shows the token to the hub alone", async () => {
    room.hub.add("clipscope/private", demoFiles, { access: "private" });
    await writeFile(join(room.home, "token"), `${goodToken}\n`);
    await pull("clipscope/private");
    const seen = (place: SeenRequest["at"]): Set<string | undefined> =>
      new Set(room.hub.requests.filter(({ at }) => at === place).map(({ authorization }) => authorization));
    assert.deepEqual([...seen("hub")], [`Bearer ${goodToken}`]);
    assert.deepEqual([...seen("cdn")], [undefined]);
  });

  it("knows a portal's page from a hub's answer, and a hub from nothing", async () => {
    room.hub.fault = () => ({ status: 200, body: "<html>Please log in</html>" });
    await assertRefused(pull(demo), /expected the hub's answer, found something else; is HF_ENDPOINT right/);
    room.hub.fault = () => ({ status: 200, body: '{"sha":"../../x"}' });
    await assertRefused(pull(demo), /expected a commit, found "\.\.\/\.\.\/x"; is HF_ENDPOINT a hub/);
    await room.hub.stop();
    await assertRefused(pull(demo), /^127\.0\.0\.1:\d+: the connection failed \(ECONNREFUSED\), 3 times/);
    process.env["HF_ENDPOINT"] = "huggingface.co";
    await assertRefused(pull(demo), /^HF_ENDPOINT=huggingface\.co: expected an address such as https/);
    process.env["HF_HUB_OFFLINE"] = "1";
    await assertRefused(pull(demo), /^HF_HUB_OFFLINE=1: nothing is downloaded/);
  });

  it("takes no path and no digest that leads out of the cache", async () => {
    room.hub.add("clipscope/up", { ...demoFiles, "../../../../escaped": "x" });
    await assertRefused(pull("clipscope/up"), /expected a path inside the repository/);
    await assertRefused(pull("../up"), /expected a repository's name/);
    await assertRefused(pull(demo, { revision: "../../x" }), /expected a branch, a tag or a commit/);
  });

  it("goes through the proxy that the environment names", async () => {
    room.hub.add(demo, demoFiles);
    const hosts = new Set<string>();
    const proxy = createServer();
    proxy.on("connect", (request, client) => {
      hosts.add(request.url!);
      const { hostname: host, port } = new URL(`http://${request.url!}`);
      const server = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        server.pipe(client).pipe(server);
      });
      for (const end of [client, server]) end.on("error", () => undefined);
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    process.env["http_proxy"] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    await pull(demo);
    proxy.close();
    assert.equal(hosts.size, 2, "hub and CDN");
  });

  it("two at once: one downloads, the other waits for it", async () => {
    room.hub.add(demo, demoFiles);
    const waits: string[] = [];
    const both = await Promise.all([
      pull(demo, { onWait: (reason) => waits.push(reason) }),
      pull(demo, { onWait: (reason) => waits.push(reason) }),
    ]);
    assert.ok(waits.some((reason) => /^another process downloads .*; waiting for it$/.test(reason)));
    const digests = room.hub.downloads.map(({ path }) => path);
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(both[0].folder, both[1].folder);
    assert.deepEqual(await readFile(blob()), weights);
  });

  it("takes over from a process that was killed", async () => {
    room.hub.add(demo, demoFiles);
    await mkdir(dirname(partial()), { recursive: true });
    await writeFile(partial(), weights.subarray(0, 1000));
    // No system has so many processes.
    await writeFile(`${partial()}.lock`, `${2 ** 30} ${hostname()}\n`);
    await pull(demo);
    assert.equal(room.hub.downloads[0]!.range, "bytes=1000-");
    assert.deepEqual(
      (await readdir(dirname(partial()))).filter((name) => name.includes("clipscope")),
      [],
    );
  });

  // Linux has a device whose every write fails so; the command line's spec has a limit that all systems know.
  if (process.platform === "linux") {
    it("a full disk is one line", async () => {
      room.hub.add(demo, demoFiles);
      await mkdir(dirname(partial()), { recursive: true });
      await symlink("/dev/full", partial());
      await assertRefused(pull(demo), /\.incomplete: the disk is full; make room or choose another disk$/);
    });
  }

  it("checks the room on the disk before it begins", async () => {
    room.hub.add(demo, demoFiles);
    room.hub.claims.set(weightsName, 1e18);
    await assertRefused(pull(demo), /expected 1000000000\.\d\d GB of free space, found [\d.]+ GB; make room/);
    assert.deepEqual(room.hub.downloads, []);
  });

  it("a branch moves when all of its new commit is there", async () => {
    const first = room.hub.add(demo, demoFiles);
    await pull(demo);
    const changed = Buffer.concat([weights]);
    changed[changed.length - 1]! ^= 1;
    const second = room.hub.add(demo, { ...demoFiles, [weightsName]: changed });
    disturbDownloads({ status: 500 }, { status: 500 }, { status: 500 });
    await assertRefused(pull(demo), /status 500/);
    assert.ok((await readModelDirectory(`hf:${demo}`)).path.endsWith(first));
    await pull(demo);
    assert.ok((await readModelDirectory(`hf:${demo}`)).path.endsWith(second));
    assert.ok((await readModelDirectory(`hf:${demo}@${first}`)).path.endsWith(first));
  });

  describe("which files", () => {
    const taken = async (name: string, options?: PullOptions): Promise<string[]> =>
      (await pull(name, options)).files.map(({ repository, path }) =>
        repository === name ? path : `${repository}: ${path}`,
      );
    const english = fromFixture("tiny/plain", ["open_clip_config.json"]);
    const bytes = new Uint8Array(200_000);

    it("without a config: open_clip's table, and the tokenizer of the repository that it names", async () => {
      room.hub.add(multilingual, { "README.md": "hello", "open_clip_pytorch_model.bin": bytes });
      room.hub.add("xlm-roberta-large", {
        "tokenizer.json": demoFiles["tokenizer.json"]!,
        "model.safetensors": bytes,
      });
      room.hub.rename("xlm-roberta-large", "FacebookAI/xlm-roberta-large");
      assert.deepEqual(await taken(multilingual), [
        "open_clip_pytorch_model.bin",
        "xlm-roberta-large: tokenizer.json",
      ]);
      const directory = await readModelDirectory(`hf:${multilingual}`);
      assert.deepEqual([directory.config.vision.layers, directory.config.text.kind], [32, "xlm-roberta"]);
      assert.deepEqual(
        await readdir(directory.path),
        ["open_clip_pytorch_model.bin"],
        "nothing false in the cache",
      );
      const tokenizer = await readTokenizer(directory);
      assert.deepEqual(tokenizer.encode("two red circles"), [0, 70, 253, 301, 2]);
    });

    it("without a config: the table's pixel statistics, too", async () => {
      const name = "laion/CLIP-ViT-L-14-laion2B-s32B-b82K";
      room.hub.add(name, { [weightsName]: bytes });
      assert.deepEqual(await taken(name), [weightsName]);
      const { preprocess } = await readModelDirectory(`hf:${name}`);
      assert.deepEqual(
        [preprocess.mean, preprocess.std],
        [
          [0.5, 0.5, 0.5],
          [0.5, 0.5, 0.5],
        ],
      );
      await assertRefused(loadModel(`hf:${name}@v1`), /not in/);
    });

    it("without a config and unknown to the table: --arch", async () => {
      room.hub.add("someone/clip", { [weightsName]: bytes });
      await assertRefused(pull("someone/clip"), /has no open_clip_config\.json, .*--arch$/);
      assert.deepEqual(await taken("someone/clip", { arch: "ViT-B-32" }), [weightsName]);
      assert.deepEqual(room.hub.downloads.length, 1);
    });

    it("an index and its shards", async () => {
      const index = JSON.stringify({
        weight_map: { a: "one.safetensors", b: "two.safetensors", c: "one.safetensors" },
      });
      const name = "open_clip_model.safetensors.index.json";
      const shards = { "one.safetensors": bytes, "two.safetensors": "2", "three.safetensors": bytes };
      room.hub.add("someone/shards", { ...english, ...shards, [name]: index });
      assert.deepEqual(await taken("someone/shards"), [
        "open_clip_config.json",
        name,
        "one.safetensors",
        "two.safetensors",
      ]);
      room.hub.add("someone/gap", { ...english, [name]: index, "one.safetensors": "1" });
      await assertRefused(pull("someone/gap"), /expected two\.safetensors, .*among its files/);
    });

    it("open_clip's PyTorch file rather than the safetensors that are transformers'", async () => {
      room.hub.add("someone/both", {
        ...english,
        "model.safetensors": bytes,
        "open_clip_pytorch_model.bin": "1",
      });
      assert.deepEqual(await taken("someone/both"), ["open_clip_config.json", "open_clip_pytorch_model.bin"]);
      room.hub.add("someone/one", { ...english, "model.safetensors": bytes });
      assert.deepEqual(await taken("someone/one"), ["open_clip_config.json", "model.safetensors"]);
      room.hub.add("someone/pt", { ...english, "epoch_32.pt": bytes, "logs/other.pt": "1" });
      assert.deepEqual(await taken("someone/pt"), ["open_clip_config.json", "epoch_32.pt"]);
    });

    it("of a folder that transformers filled, too, open_clip's PyTorch file", async () => {
      const write = async (name: string, tensor: string): Promise<void> => {
        await mkdir(join(room.home, name));
        await writeFile(join(room.home, name, "open_clip_pytorch_model.bin"), "");
        const one = encodeSafetensors([{ name: tensor, dtype: "F32", shape: [0], bytes: new Uint8Array() }]);
        await writeFile(join(room.home, name, "model.safetensors"), one);
      };
      await write("theirs", "vision_model.embeddings.class_embedding");
      assert.ok((await findWeights(join(room.home, "theirs"))).endsWith(".bin"));
      await write("ours", "visual.class_embedding");
      assert.ok((await findWeights(join(room.home, "ours"))).endsWith(".safetensors"));
    });

    it("an architecture that is not supported: before anything large is downloaded", async () => {
      const resnet = JSON.stringify({
        model_cfg: { embed_dim: 8, vision_cfg: { layers: [3, 4] }, text_cfg: {} },
      });
      room.hub.add("someone/resnet", { "open_clip_config.json": resnet, [weightsName]: bytes });
      await assertRefused(pull("someone/resnet"), /is a ResNet/);
      assert.deepEqual(room.hub.downloads, []);
      room.hub.add("someone/none", { ...english });
      await assertRefused(pull("someone/none"), /^someone\/none: no weights: expected one of/);
    });

    it("a model without a tokenizer anywhere", async () => {
      const others = Object.entries(demoFiles).filter(([name]) => !/^tokenizer\.json$|\.model$/.test(name));
      room.hub.add(demo, Object.fromEntries(others));
      await assertRefused(
        pull(demo),
        /no tokenizer: expected tokenizer\.json or sentencepiece\.bpe\.model in it$/,
      );
      room.hub.add(multilingual, { "open_clip_pytorch_model.bin": bytes });
      room.hub.add("xlm-roberta-large", { "README.md": "1" });
      await assertRefused(pull(multilingual), /sentencepiece\.bpe\.model in it or in xlm-roberta-large$/);
    });
  });
});
