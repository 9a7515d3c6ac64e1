import assert from "node:assert/strict";
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { findWeights } from "../../../lib/node/models/weights-file.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { type PullOptions } from "../../../lib/node/hub/pull.ts";
import { readTokenizer } from "../../../lib/node/models/read-tokenizer.ts";
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { gitBlobName } from "../../support/hub-server.ts";
import {
  assertRefused,
  demo,
  demoFiles,
  fromFixture,
  hubRoom,
  pull,
  weights,
  weightsDigest,
  weightsName,
} from "../../support/pull.ts";

const multilingual = "laion/CLIP-ViT-H-14-frozen-xlm-roberta-large-laion5B-s13B-b90k";

describe("pullModel", () => {
  const room = hubRoom();

  it("stores the needed files as huggingface_hub does", async () => {
    const commit = room.hub.add(demo, demoFiles);
    const { files, folder, model, ...report } = await pull(demo);
    assert.deepEqual(report, {
      repository: demo,
      revision: "main",
      commit,
      architecture: null,
      layout: null,
      license: null,
    });
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
    assert.equal((await readdir(join(place, "blobs"))).length, names.length, "no other files");
    // The output of `git hash-object`.
    assert.equal(gitBlobName(Buffer.from("hello\n")), "ce013625030ba8dba906f756967f9e9ca394464a");
  });

  it("gives loadModel the model by its name, and downloads nothing twice", async () => {
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

  it("finds models that other programs stored in the cache", async () => {
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

  it("refuses paths that leave the cache", async () => {
    room.hub.add("clipscope/up", { ...demoFiles, "../../../../escaped": "x" });
    await assertRefused(pull("clipscope/up"), /expected a path inside the repository/);
    await assertRefused(pull("../up"), /expected a repository's name/);
    await assertRefused(pull(demo, { revision: "../../x" }), /expected a branch, a tag or a commit/);
  });

  it("checks the free disk space before it downloads", async () => {
    room.hub.add(demo, demoFiles);
    room.hub.claims.set(weightsName, 1e18);
    await assertRefused(pull(demo), /expected 1000000000\.\d\d GB of free space, found [\d.]+ GB; make room/);
    assert.deepEqual(room.hub.downloads, []);
  });

  it("moves a branch after its new commit is complete", async () => {
    const first = room.hub.add(demo, demoFiles);
    await pull(demo);
    const changed = Buffer.concat([weights]);
    changed[changed.length - 1]! ^= 1;
    const second = room.hub.add(demo, { ...demoFiles, [weightsName]: changed });
    room.disturbDownloads({ status: 500 }, { status: 500 }, { status: 500 });
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

    it("without a config: those of open_clip's table, and the tokenizer of the repository that it names", async () => {
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
        "no other files in the cache",
      );
      const tokenizer = await readTokenizer(directory);
      assert.deepEqual(tokenizer.encode("two red circles"), [0, 70, 253, 301, 2]);
    });

    it("without a config: the table also gives the pixel statistics", async () => {
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
      await assertRefused(pull("someone/gap"), /expected the file two\.safetensors, which the index/);
    });

    it("open_clip's PyTorch file instead of the safetensors of transformers", async () => {
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

    it("open_clip's PyTorch file in a local folder of transformers", async () => {
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

    it("none of an unsupported architecture, except small ones", async () => {
      const resnet = JSON.stringify({
        model_cfg: { embed_dim: 8, vision_cfg: { layers: [3, 4] }, text_cfg: {} },
      });
      room.hub.add("someone/resnet", { "open_clip_config.json": resnet, [weightsName]: bytes });
      await assertRefused(pull("someone/resnet"), /ResNets are not supported/);
      assert.deepEqual(room.hub.downloads, []);
      room.hub.add("someone/none", { ...english });
      await assertRefused(pull("someone/none"), /^someone\/none: no weights: expected one of/);
    });

    it("a model without a tokenizer anywhere", async () => {
      const others = Object.entries(demoFiles).filter(([name]) => !/^tokenizer\.json$|\.model$/.test(name));
      room.hub.add(demo, Object.fromEntries(others));
      await assertRefused(
        pull(demo),
        /no tokenizer: expected tokenizer\.json, sentencepiece\.bpe\.model, vocab\.txt, spiece\.model in it$/,
      );
      room.hub.add(multilingual, { "open_clip_pytorch_model.bin": bytes });
      room.hub.add("xlm-roberta-large", { "README.md": "1" });
      await assertRefused(pull(multilingual), /spiece\.model in it or in xlm-roberta-large$/);
    });
  });
});
