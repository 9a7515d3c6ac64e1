import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { memory, tensor2d } from "@tensorflow/tfjs-core";
import type { Clip } from "../../../lib/clip/clip.ts";
import { embedImage, embedImages, rankImages } from "../../../lib/node/images/embed-images.ts";
import { writeImage } from "../../support/images.ts";
import { assertNear } from "../../support/near.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { openTinyClip } from "../../support/tiny-clip.ts";

describe("image files", () => {
  const folder = temporaryFolder();
  const colors = [0xff0000, 0x00ff00, 0x0000ff, 0xffffff, 0x808080];
  let model: Clip;
  let files: string[];
  let bad: string;

  before(async () => {
    model = await openTinyClip();
  });

  beforeEach(async () => {
    files = colors.map((_, i) => folder.file(`${i}.png`));
    await Promise.all(files.map((file, i) => writeImage(file, colors[i]!)));
    bad = folder.file("text.jpg");
    await writeFile(bad, "not an image");
  });

  after(() => model.dispose());

  describe("embedImages", () => {
    it("yields batches in the order of the paths, with the same values for any batch size", async () => {
      const inTwos = await collect(model, files, 2);
      assert.deepEqual(
        inTwos.map(({ paths }) => paths),
        [files.slice(0, 2), files.slice(2, 4), files.slice(4)],
      );
      const [all] = await collect(model, files, 16);
      assertNear(inTwos.flatMap(({ rows }) => rows).flat(), all!.rows.flat(), 1e-5);
    });

    it("reports the error of a bad image, and embeds the rest", async () => {
      const errors: string[] = [];
      const done: number[] = [];
      const given = [files[0]!, bad, files[1]!, "nowhere.png"];
      const batches = embedImages(model, given, {
        batchSize: 1,
        onError: (_error, path) => errors.push(path),
        onProgress: (count) => done.push(count),
      });
      const paths: string[] = [];
      for await (const batch of batches) {
        paths.push(...batch.paths);
        batch.features.dispose();
      }
      assert.deepEqual(paths, [files[0], files[1]]);
      assert.deepEqual(errors, [bad, "nowhere.png"]);
      assert.equal(done.at(-1), 4);
    });

    it("throws the error without onError", async () => {
      await assert.rejects(collect(model, [bad], 1), { name: "InputError" });
    });

    it("keeps no tensors, also if the consumer stops early", async () => {
      await collect(model, files, 2);
      const before = memory().numTensors;
      for await (const { features } of embedImages(model, files, { batchSize: 2 })) {
        features.dispose();
        break;
      }
      assert.equal(memory().numTensors, before);
    });
  });

  describe("embedImage", () => {
    it("gives the row that a batch gives", async () => {
      const [all] = await collect(model, files, 16);
      const one = await embedImage(model, files[3]!);
      assertNear((await one.array())[0]!, all!.rows[3]!, 1e-5);
      one.dispose();
    });
  });

  describe("rankImages", () => {
    it("ranks the query image itself first, and keeps no tensors", async () => {
      const [own] = await collect(model, [files[2]!], 1, true);
      const before = memory().numTensors;
      const query = tensor2d(own!.rows);
      const matches = await rankImages(model, query, files, { batchSize: 2 });
      query.dispose();
      assert.equal(matches[0]!.path, files[2]);
      assertNear([matches[0]!.similarity], [1], 1e-5);
      assert.equal(matches.length, files.length);
      assert.equal(memory().numTensors, before);
    });
  });
});

async function collect(
  model: Clip,
  paths: readonly string[],
  batchSize: number,
  normalize = false,
): Promise<{ paths: readonly string[]; rows: number[][] }[]> {
  const batches = [];
  for await (const { paths: embedded, features } of embedImages(model, paths, { batchSize, normalize })) {
    batches.push({ paths: embedded, rows: await features.array() });
    features.dispose();
  }
  return batches;
}
