import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import type { Clip } from "../../../lib/clip/clip.ts";
import type { ClassificationDataset } from "../../../lib/eval/dataset.ts";
import { imageFolder } from "../../../lib/eval/datasets/image-folder.ts";
import { embedDatasetImages, type ImageEmbeddings } from "../../../lib/eval/embeddings/image-embeddings.ts";
import type { EvaluationHost } from "../../../lib/eval/host.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { evaluationHost } from "../../../lib/node/eval/host.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("embedDatasetImages", () => {
  const folder = temporaryFolder();
  let model: Clip;

  before(async () => {
    model = await loadModel();
  });
  after(() => model.dispose());

  /** Two classes; image 1 of each is the same file under the same name, and the first cannot be read. */
  function write(): void {
    for (const name of ["a", "b"]) {
      mkdirSync(folder.file("data", name), { recursive: true });
      cpSync(fixture("demo-model/samples/two-red-circles.png"), folder.file("data", name, "0.png"));
      cpSync(fixture("images/png-palette8.png"), folder.file("data", name, "1.png"));
    }
    writeFileSync(folder.file("data", "a", "0.png"), "not an image");
  }

  const read = async (path = "data"): Promise<ClassificationDataset> =>
    (await imageFolder.read(evaluationHost.datasets, {
      name: "made",
      folder: folder.file(path),
    })) as ClassificationDataset;

  /** The host, with a count of the images that it loads. */
  function counting(): { readonly host: EvaluationHost; readonly count: () => number } {
    let loaded = 0;
    return {
      count: () => loaded,
      host: {
        ...evaluationHost,
        loadImages: (of, images, options) => {
          loaded += images.length;
          return evaluationHost.loadImages(of, images, options);
        },
      },
    };
  }

  const embed = (
    host: EvaluationHost,
    dataset: ClassificationDataset,
    limit?: number,
  ): Promise<ImageEmbeddings> =>
    embedDatasetImages(host, model, dataset, {
      features: folder.file("features"),
      batchSize: 2,
      ...(limit === undefined ? {} : { limit }),
    });

  it("gives the rows of the images that can be read, with and without files", async () => {
    write();
    const dataset = await read();
    const inMemory = await embedDatasetImages(evaluationHost, model, dataset, { batchSize: 2 });
    const fromFile = await embed(evaluationHost, dataset);
    assert.deepEqual(fromFile.images, [1, 2, 3]);
    assert.deepEqual(inMemory.images, [1, 2, 3]);
    assert.deepEqual([...fromFile.rows.values], [...inMemory.rows.values]);
    assert.deepEqual(
      fromFile.failed.map(({ image }) => image),
      [0],
    );
    assert.deepEqual(fromFile.failed, inMemory.failed);
  });

  it("loads no image twice: not with other labels, in a moved folder, or for the first images only", async () => {
    write();
    const first = await embed(evaluationHost, await read());
    const { host, count } = counting();
    const dataset = await read();
    const relabelled = await embed(host, { ...dataset, labels: [1, 1, 0, null] });
    assert.deepEqual([relabelled.images, relabelled.decoded], [[1, 2, 3], 0]);
    renameSync(folder.file("data"), folder.file("moved"));
    const moved = await embed(host, await read("moved"));
    // a/1.png has a row and a/0.png has none, though b/0.png has the base name of the latter.
    assert.deepEqual(moved.images, [1, 2, 3]);
    assert.deepEqual([...moved.rows.values], [...first.rows.values]);
    const limited = await embed(host, await read("moved"), 3);
    assert.deepEqual([limited.images, limited.asked, limited.rows.rows], [[1, 2], 3, 2]);
    assert.equal(limited.failed.length, 1);
    assert.equal(count(), 0);
  });

  it("embeds again if an image changed, or is converted at another step", async () => {
    write();
    await embed(evaluationHost, await read());
    utimesSync(folder.file("data", "b", "0.png"), 1, 1);
    const { host, count } = counting();
    await embed(host, await read());
    assert.equal(count(), 4);
    const unconverted = await embed(host, { ...(await read()), convertToRgbFirst: false });
    assert.equal(count(), 8);
    assert.equal(readdirSync(folder.file("features")).length, 3);
    // The palette image is resized in its own mode there.
    const converted = await embed(host, await read());
    assert.notDeepEqual([...unconverted.rows.values], [...converted.rows.values]);
  });

  it("refuses a features file of other images or of another model", async () => {
    write();
    const { file } = await embed(evaluationHost, await read());
    const bytes = readFileSync(file!, "latin1");
    writeFileSync(file!, bytes.replaceAll("b/1.png", "b/2.png"), "latin1");
    await assert.rejects(embed(evaluationHost, await read()), {
      name: "InputError",
      message: /expected rows of the images of this dataset, found others; delete the file/,
    });
    const digest = /"model_sha256":"(\w+)"/.exec(bytes)![1]!;
    writeFileSync(file!, bytes.replaceAll(digest, digest.replace(/^./, "g")), "latin1");
    await assert.rejects(embed(evaluationHost, await read()), {
      name: "InputError",
      message: /made with another model than this evaluation/,
    });
  });

  it("says why, if no image can be read", async () => {
    mkdirSync(folder.file("data", "a"), { recursive: true });
    writeFileSync(folder.file("data", "a", "0.png"), "not an image");
    const dataset = await read();
    await assert.rejects(embed(evaluationHost, dataset), { name: "InputError", message: /could be read/ });
    await assert.rejects(embedDatasetImages(evaluationHost, model, dataset), {
      name: "InputError",
      message: /made: none of the 1 images can be read \(.*0\.png: /,
    });
  });
});
