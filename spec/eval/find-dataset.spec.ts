import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { findDataset } from "../../lib/eval/find-dataset.ts";
import { datasetFiles } from "../../lib/node/eval/dataset-files.ts";
import { temporaryFolder } from "../support/temporary.ts";

describe("findDataset", () => {
  const folder = temporaryFolder();

  function webdataset(...path: readonly string[]): string {
    mkdirSync(folder.file(...path, "test"), { recursive: true });
    writeFileSync(folder.file(...path, "test", "nshards.txt"), "1");
    return folder.file(...path);
  }

  const find = async (given: string, data?: string): Promise<string[]> => {
    const { reader, request } = await findDataset(datasetFiles, given, data === undefined ? {} : { data });
    return [reader.layout, request.name, request.folder];
  };

  it("takes the templates of CLIP_benchmark's --dataset_root", async () => {
    const place = webdataset("vtab/cifar10");
    const cleaned = webdataset("wds_vtab-cifar10");
    const name = "wds/vtab/cifar10";
    assert.deepEqual(await find(name, folder.file("{dataset}")), ["webdataset", name, place]);
    assert.deepEqual(await find(name, folder.file("wds_{dataset_cleaned}")), ["webdataset", name, cleaned]);
    assert.deepEqual(await find("vtab/cifar10", folder.file("{dataset}")), [
      "webdataset",
      "vtab/cifar10",
      place,
    ]);
  });

  it("finds a dataset in a folder of datasets, or takes the folder itself", async () => {
    const cleaned = webdataset("wds_vtab-cifar10");
    assert.deepEqual((await find("wds/vtab/cifar10", folder.path))[2], cleaned);
    assert.deepEqual((await find("wds/vtab/cifar10", cleaned))[2], cleaned);
  });

  it("takes a path, with the folder's name as the dataset's", async () => {
    const place = webdataset("my data");
    assert.deepEqual(await find(place), ["webdataset", "my data", place]);
    assert.deepEqual(await find(`${place}/`), ["webdataset", "my data", `${place}/`]);
    assert.deepEqual(await find(place, folder.path), ["webdataset", "my data", place]);
  });

  it("reads one of CLIP_benchmark's names in no other layout than its own or a WebDataset", async () => {
    // A Babel-ImageNet without its lists would be read with other classes.
    mkdirSync(folder.file("babel_imagenet/val/n1"), { recursive: true });
    writeFileSync(folder.file("babel_imagenet/val/n1/1.JPEG"), "");
    assert.deepEqual((await find("babel_imagenet", folder.path))[0], "babel-imagenet");
    assert.deepEqual((await find(folder.file("babel_imagenet")))[0], "imagefolder");
    webdataset("wds_imagenetv2");
    assert.deepEqual((await find("imagenetv2", folder.path))[0], "webdataset");
  });

  it("does not take a folder of datasets for a folder of classes", async () => {
    mkdirSync(folder.file("flickr8k"));
    writeFileSync(folder.file("flickr8k/1.jpg"), "");
    await assert.rejects(find("cars", folder.path), {
      name: "InputError",
      message: /^cars: expected the folder/,
    });
    assert.equal((await find(folder.path))[0], "imagefolder");
  });

  it("finds the tasks of SugarCrepe in one folder", async () => {
    mkdirSync(folder.file("sugar_crepe/val2017"), { recursive: true });
    writeFileSync(folder.file("sugar_crepe/add_att.json"), "{}");
    const place = folder.file("sugar_crepe");
    const name = "sugar_crepe/add_att";
    assert.deepEqual(await find(name, folder.path), ["sugar-crepe", name, place]);
    assert.deepEqual(await find(name, place), ["sugar-crepe", name, place]);
  });

  it("says where it looked, and which layouts there are", async () => {
    await assert.rejects(find("wds/x", folder.path), {
      name: "InputError",
      message: /^wds\/x: expected the folder of a dataset, found none \(looked at .*wds_x/,
    });
    for (const [given, advice] of [
      ["retreival", "did you mean retrieval?"],
      ["wds/imagenet2k", "did you mean wds/imagenet1k?"],
      ["nothing at all", "give the folder"],
    ] as const) {
      await assert.rejects(find(given, folder.path), ({ message }: Error) => message.includes(`; ${advice}`));
    }
    mkdirSync(folder.file("empty"));
    await assert.rejects(find(folder.file("empty")), (error: Error & { details: string[] }) => {
      assert.match(error.message, /empty: expected a dataset in a known layout, found none/);
      assert.match(error.details[0]!, /^webdataset: SPLIT\/nshards\.txt/);
      return true;
    });
  });
});
