import assert from "node:assert/strict";
import { objectNet } from "../../../lib/eval/datasets/object-net.ts";
import { datasetFolder, inputError } from "../../support/dataset-folder.ts";

describe("objectNet", () => {
  const folder = datasetFolder(objectNet, "objectnet");
  const labels = { air_freshener: "Air freshener", backpack: "Backpack", zebra_toy: "Alarm clock" };
  const overlap = { Backpack: "backpack; rucksack", "Alarm clock": "analog clock" };
  const images = ["air_freshener/1.png", "backpack/2.png", "zebra_toy/3.png", "zebra_toy/4.png"];

  function write(place: string): void {
    folder.write(images.map((path) => `objectnet-1.0/images/${path}`));
    folder.write({
      [`${place}folder_to_objectnet_label.json`]: labels,
      [`${place}objectnet_to_imagenet_1k.json`]: overlap,
    });
  }

  it("numbers the overlapping classes by folder, not by name, and leaves the others out", async () => {
    for (const place of ["", "objectnet-1.0/mappings/"]) {
      write(place);
      assert.equal(await folder.recognizes(), true);
      const dataset = await folder.read();
      assert.ok(dataset.kind === "classification");
      assert.deepEqual(
        folder.images(dataset).map((path) => path.slice("objectnet-1.0/images/".length)),
        ["backpack/2.png", "zebra_toy/3.png", "zebra_toy/4.png"],
      );
      assert.deepEqual(dataset.labels, [0, 1, 1]);
      assert.deepEqual(dataset.classNames?.texts, ["backpack", "alarm clock"]);
    }
  });

  it("refuses mappings that do not match, and missing ones", async () => {
    write("");
    folder.write({ "objectnet_to_imagenet_1k.json": { ...overlap, Chair: "folding chair" } });
    await assert.rejects(folder.read(), inputError(/a folder for each of the 3 classes .* found 2/));
    folder.remove("objectnet_to_imagenet_1k.json");
    await assert.rejects(folder.read(), inputError(/objectnet_to_imagenet_1k\.json: not found; copy it/));
  });
});
