import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { imageNetArchives } from "../../../lib/eval/datasets/imagenet-archives.ts";
import { findDataset } from "../../../lib/eval/find-dataset.ts";
import { datasetFiles } from "../../../lib/node/eval/dataset-files.ts";
import { encodeMat } from "../../../tools/datasets/encode/mat.ts";
import { writeTar } from "../../../tools/datasets/encode/tar.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

const kitName = "ILSVRC2012_devkit_t12.tar.gz";
const tarName = "ILSVRC2012_img_val.tar";

describe("ImageNet's archives", () => {
  const folder = datasetFolder(imageNetArchives, "imagenet1k");
  const synsets = [
    { ILSVRC2012_ID: 1, WNID: "n03", num_children: 0 },
    { ILSVRC2012_ID: 2, WNID: "n01", num_children: 0 },
    { ILSVRC2012_ID: 3, WNID: "n02", num_children: 2 },
  ];
  const images = (count: number): Uint8Array =>
    writeTar(
      // The tar's order is not that of the names.
      Array.from({ length: count }, (_, i) => ({ name: `${count - i}.JPEG`, content: Buffer.from([i]) })),
    );
  const kit = (truth: string, classes: typeof synsets = synsets): Uint8Array =>
    gzipSync(
      writeTar([
        { name: "kit/data/meta.mat", content: encodeMat("synsets", classes) },
        { name: "kit/data/ILSVRC2012_validation_ground_truth.txt", content: Buffer.from(truth) },
      ]),
    );

  beforeEach(() => {
    folder.write({ [tarName]: images(3), [kitName]: kit("1\n2\n1\n") });
  });

  it("sorts classes by WordNet id, and images by class and name; nodes with children are not classes", async () => {
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "classification");
    assert.deepEqual(dataset.labels, [0, 1, 1]);
    assert.deepEqual(dataset.classFolders, ["n01", "n03"]);
    assert.deepEqual(
      dataset.images.map((image) =>
        typeof image === "object" && "name" in image ? image.name.split(":")[1] : "",
      ),
      ["2.JPEG", "1.JPEG", "3.JPEG"],
    );
  });

  it("are not used where the images are unpacked", async () => {
    folder.write(["val/n01/1.JPEG"]);
    assert.equal(await folder.recognizes(), false);
    const { reader } = await findDataset(datasetFiles, "imagenet1k", { data: folder.path });
    assert.equal(reader.layout, "imagefolder");
  });

  it("refuse other splits, numbers and counts, and damaged files", async () => {
    await assert.rejects(folder.read({ split: "train" }), inputError(/expected --split test or val/));
    folder.write({ [kitName]: kit("1\n3\n1\n") });
    await assert.rejects(
      folder.read(),
      inputError(/line 2: expected the number of one of 2 classes, found "3"/),
    );
    folder.write({ [kitName]: kit("1\n2\n") });
    await assert.rejects(folder.read(), inputError(/val\.tar: expected 2 images, .* found 3/));
    folder.write({ [kitName]: Buffer.from("text") });
    await assert.rejects(folder.read(), inputError(/tar\.gz: expected a tar that gzip compressed/));
    folder.write({ [kitName]: gzipSync(writeTar([{ name: "x", content: Buffer.from("x") }])) });
    await assert.rejects(folder.read(), inputError(/expected the file data\/meta\.mat, found none/));
  });
});
