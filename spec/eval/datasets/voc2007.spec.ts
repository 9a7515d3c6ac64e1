import assert from "node:assert/strict";
import { voc2007 } from "../../../lib/eval/datasets/voc2007.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("voc2007", () => {
  const folder = datasetFolder(voc2007, "voc2007_multilabel");
  const root = "VOCdevkit/VOC2007";
  const object = (name: string, isDifficult = 0): string =>
    `<object>\n<name>${name}</name><difficult>${isDifficult}</difficult><part><name>head</name><bndbox><xmin>7</xmin></bndbox></part>` +
    `<bndbox><xmin>${1 + isDifficult}</xmin><ymin> 2 </ymin>\n<xmax>30</xmax><ymax>40</ymax></bndbox></object>`;

  beforeEach(() => {
    folder.write([`${root}/JPEGImages/000001.jpg`, `${root}/JPEGImages/000004.jpg`]);
    folder.write({
      [`${root}/ImageSets/Main/aeroplane_test.txt`]: "000004 -1\n000001  1\n",
      [`${root}/Annotations/000004.xml`]: `<annotation><!-- ${object("cow")} -->${object("tvmonitor")}${object("person")}${object("person")}</annotation>`,
      [`${root}/Annotations/000001.xml`]: `<annotation>${object("aeroplane", 1)}</annotation>`,
    });
  });

  it("takes all objects, difficult ones included, but not their parts", async () => {
    assert.equal(await folder.recognizes(), true);
    const dataset = await folder.read();
    assert.ok(dataset.kind === "multilabel");
    assert.deepEqual(dataset.positives, [[14, 19], [0]]);
    assert.deepEqual(
      folder.images(dataset).map((path) => path.slice(-10)),
      ["000004.jpg", "000001.jpg"],
    );
    assert.deepEqual([dataset.classCount, dataset.classNames?.texts[14]], [20, "person"]);
  });

  it("takes each object in its box as an image of its own", async () => {
    const dataset = await folder.read({ name: "voc2007" });
    assert.ok(dataset.kind === "classification");
    assert.deepEqual(dataset.labels, [19, 14, 14, 0]);
    assert.deepEqual(
      folder.images(dataset).map((path) => path.slice(-24)),
      [
        "/000004.jpg#1,2,30,40",
        "/000004.jpg#1,2,30,40",
        "/000004.jpg#1,2,30,40",
        "/000001.jpg#2,2,30,40",
      ].map((end) => `JPEGImages${end}`.slice(-24)),
    );
  });

  it("refuses unknown classes, other splits, and boxes without pixels", async () => {
    await assert.rejects(folder.read({ split: "train" }), inputError(/aeroplane_train\.txt: not found/));
    folder.write({ [`${root}/Annotations/000001.xml`]: object("unicorn") });
    await assert.rejects(folder.read(), inputError(/000001\.xml: expected objects .* found "unicorn"/));
    for (const [box, replaced] of [
      ["30", "1"],
      ["40", "4.5"],
    ] as const) {
      folder.write({ [`${root}/Annotations/000001.xml`]: object("cow").replaceAll(box, replaced) });
      await assert.rejects(
        folder.read(),
        inputError(/000001\.xml: expected objects with a <bndbox> of whole numbers/),
      );
    }
    folder.write({ [`${root}/ImageSets/Main/aeroplane_test.txt`]: "000001\n" });
    await assert.rejects(folder.read(), inputError(/line 1: expected a name and a number, found 000001/));
  });
});
