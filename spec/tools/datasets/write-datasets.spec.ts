import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { isHeldOut } from "../../../tools/demo-model/scene.ts";
import { generatedDatasets, writeDatasets } from "../../../tools/datasets/write-datasets.ts";
import { heldOutPairs, World } from "../../../tools/datasets/world.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** SHA-256 of the names and contents of each dataset's files, with `--count 16 --seed 1`. */
const digests: Readonly<Record<string, string>> = {
  prompts: "4e1d55a43dec70293b821b8432ad5b608c3334942f5133b38d2bfae1ca27abbc",
  "wds/shapes": "d93c67560c94dab48ae9371b6464e58dc05bba9495eb3112a5c91111806d0549",
  "wds/count": "9f8a9273e3ddb910b75feaf26eb81803a21efcfc331a69f6fa757e15672595a8",
  "wds/backgrounds": "053db9aeee93de40b18e2353b749ede7cfd1c35ebbf0e6eb69a4c031517bfde6",
  "wds/multilabel": "8458f40518e8600081de50eab135716d1add7eb1e868b690e1ac0cacb57341e9",
  "wds/captions": "d01d678058d9d6cd11ad299b3b7273b7b43ff1a68c7e3a01b90b804bf8bb03d3",
  shapes_folder: "c130b79356cdfdaba9ca8c34be91948cfec173a06d0020ff02693d94f17eff04",
  "imagenet1k-unverified": "f43b6060cc512d20773c83e20cd52b46d11cb8f14e89f868525ac58dd04d6ca7",
  imagenet_sketch: "ecac429b9a0f31735ac305894f6fdd168e7afcd772137ecda1dcee64362cbae0",
  "imagenet-a": "ecac429b9a0f31735ac305894f6fdd168e7afcd772137ecda1dcee64362cbae0",
  "imagenet-o": "ecac429b9a0f31735ac305894f6fdd168e7afcd772137ecda1dcee64362cbae0",
  "imagenet-r": "ecac429b9a0f31735ac305894f6fdd168e7afcd772137ecda1dcee64362cbae0",
  imagenetv2: "1ebcc3f8f5a815d242c870f874d805a0cc682222db322227645465127b741057",
  objectnet: "45d950858c5e736a7dcc4292c943fee46b6682e0d4511eaeafed987a0ca2ab13",
  fer2013: "104ca55b6b59a161c7398655853499dd0201f1d938efd4ba1a8c80b24fd9acf1",
  babel_imagenet: "5bc33081683288b85368dd342340ee63135d4e86c80f4685fd1efd0e4203dc3e",
  mscoco_captions: "2e8997043638bf3df2f10f41c947efc910be18843aa75bed9fdeede6d0a608ca",
  flickr8k: "2260e5af5a556ec34b95c28c9146a30ed431399c41a83f0cd6f52803059a292e",
  xtd10: "28b01b8b4d47839c4423ff3ba995c2275886f1f24cebeb09d3ed079f90202bfc",
  multilingual_mscoco_captions: "190bf68c8a1ad7bb7a506b41cf139b3bb138d887302ff04c1a71064ec58c5979",
  "flickr30k-200": "925acac2adae0159b9a1a5cc96c681fd84600f9eb638bb117442692274eaf57d",
  xtd200: "4e4348da5bb27b791900b059d679f27f2b242f7ff7ea3f87c03907e05a83aa0a",
  crossmodal3600: "13c0331d35fff2ae2d150137ff3197d5d648d8d3e675c302427abfe7fba5ad65",
  sugar_crepe: "f39d0cd9bae0adbb0b9b121e40296774c92294c6dcfe8fce59b83917efe16bee",
  winoground: "d7206aa0544971c1a353bfe91a72874332e20abb2370ce1e67d63587865f7217",
  voc2007_multilabel: "d385352ea24b65972bfb1e32f3c70817be6b1634eba46dbf334dec3f0ff3990a",
  voc2007: "d385352ea24b65972bfb1e32f3c70817be6b1634eba46dbf334dec3f0ff3990a",
  imagenet1k: "c65405bd654f8fe17c26a9e5ec71e87db1085472a6148d2e34d5bc68fbc726e9",
};

describe("the dataset generator", () => {
  const folder = temporaryFolder();
  const world = new World(1, 16);

  for (const dataset of generatedDatasets) {
    it(`${dataset.name}: the bytes do not change`, async () => {
      const hash = createHash("sha256");
      const paths = new Set<string>();
      for await (const { path, content } of dataset.files(world)) {
        assert.ok(!paths.has(path), `${path} is written twice`);
        paths.add(path);
        const bytes = Buffer.from(content as string);
        hash.update(`${path}\0${bytes.length}\0`).update(bytes);
      }
      assert.equal(hash.digest("hex"), digests[dataset.name]);
    });
  }

  it("draws scenes that were held out of training, of each pair in turn", () => {
    for (const index of world.indices) {
      const scene = world.scene(index);
      assert.ok(isHeldOut(scene));
      assert.deepEqual({ colour: scene.colour, shape: scene.shape }, heldOutPairs[index % 8]);
    }
  });

  it("writes the datasets that are asked for", async () => {
    const options = { out: folder.path, count: 16, seed: 1 };
    const written = await writeDatasets({ ...options, only: ["wds/captions", "prompts"] });
    assert.deepEqual(
      written.map((one) => one.folder),
      ["wds_captions", "prompts"],
    );
    assert.equal(await readFile(folder.file("wds_captions/test/nshards.txt"), "utf8"), "3\n");
    assert.ok(existsSync(folder.file("prompts/jp_classnames.json")));
    assert.ok(!existsSync(folder.file("flickr8k")));
  });

  it("refuses what would give a wrong dataset", async () => {
    const options = { out: folder.path, count: 16, seed: 1 };
    await assert.rejects(
      writeDatasets({ ...options, count: 15 }),
      /--count 15: expected a whole number of at least 16/,
    );
    await assert.rejects(
      writeDatasets({ ...options, only: ["wds/cats"] }),
      /--only wds\/cats: expected one of prompts,/,
    );
    await mkdir(folder.file("flickr8k"));
    await assert.rejects(
      writeDatasets({ ...options, only: ["prompts", "flickr8k"] }),
      /flickr8k: already there; delete it/,
    );
    assert.ok(!existsSync(folder.file("prompts")), "nothing is written");
  });
});
