import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { webDataset } from "../../../lib/eval/datasets/webdataset.ts";
import type { Dataset } from "../../../lib/eval/dataset.ts";
import { datasetFiles } from "../../../lib/node/eval/dataset-files.ts";
import { nameOf } from "../../../lib/tasks/image-source.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { writeTar, type TarFile } from "../../support/write-tar.ts";

describe("webDataset", () => {
  const folder = temporaryFolder();

  /** Writes shards and the files beside them. */
  function write(
    shards: readonly (readonly TarFile[])[],
    texts: Readonly<Record<string, string>> = {},
  ): void {
    mkdirSync(folder.file("test"), { recursive: true });
    for (const [i, files] of shards.entries()) writeTar(folder.file("test", `${i}.tar`), files);
    writeFileSync(folder.file("test", "nshards.txt"), `${shards.length}\n`);
    for (const [name, text] of Object.entries(texts)) writeFileSync(folder.file(name), text);
  }

  const read = (split?: string): Promise<Dataset> =>
    webDataset.read(datasetFiles, {
      name: "wds/made",
      folder: folder.path,
      ...(split === undefined ? {} : { split }),
    });

  const shortNames = ({ images }: Dataset): string[] =>
    images.map((image) => nameOf(image).split(":").at(-1)!);

  it("reads shards by number, as many as nshards.txt says", async () => {
    write(
      Array.from({ length: 12 }, (_, i): TarFile[] => [
        [`s${i}.cls`, `${i}`],
        [`s${i}.png`, "image"],
      ]),
    );
    writeFileSync(folder.file("test", "nshards.txt"), " 11 ");
    const dataset = await read();
    assert.ok(dataset.kind === "classification" && dataset.convertToRgbFirst);
    assert.deepEqual(dataset.labels, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert.deepEqual(shortNames(dataset).slice(9), ["s9.png", "s10.png"]);
    assert.deepEqual([dataset.classNames, dataset.templates], [null, null]);
    rmSync(folder.file("test", "4.tar"));
    await assert.rejects(read(), {
      name: "InputError",
      message: /expected 11 shards from 0\.tar to 10\.tar, 1 missing \(4\.tar\)/,
    });
  });

  it("takes webp before png before jpg before jpeg, whatever their order, and no other image", async () => {
    write([
      [
        ["a.png", "png"],
        ["a.cls", "3"],
        ["a.webp", "webp"],
        ["b.jpeg", "jpeg"],
        ["b.CLS", " 4\n"],
        ["b.JPG", "jpg"],
        ["x/y.z/c.seg.png", "other"],
        ["x/y.z/c.jpeg", "jpeg"],
        ["x/y.z/c.cls", "0"],
        ["__meta__", "{}"],
        ["no-suffix", ""],
      ],
    ]);
    const dataset = await read();
    assert.deepEqual(shortNames(dataset), ["a.webp", "b.JPG", "x/y.z/c.jpeg"]);
    assert.deepEqual(dataset.kind === "classification" && dataset.labels, [3, 4, 0]);
  });

  it("strips names and templates, and keeps blank ones", async () => {
    write(
      [
        [
          ["a.cls", "0"],
          ["a.png", ""],
        ],
      ],
      {
        "classnames.txt": " red \r\n\n\tblue\n",
        "zeroshot_classification_templates.txt": "{c}\n a {c} ",
        "dataset_type.txt": "Classification \n",
      },
    );
    const dataset = await read();
    assert.ok(dataset.kind === "classification");
    assert.deepEqual(dataset.classNames?.texts, ["red", "", "blue"]);
    assert.deepEqual(dataset.templates?.texts, ["{c}", "a {c}"]);
    assert.deepEqual(dataset.sources, [
      folder.file("classnames.txt"),
      folder.file("zeroshot_classification_templates.txt"),
    ]);
  });

  it("splits captions as Python does, and keeps the rest of them", async () => {
    const captions = " a \\n b\r\nc\u2028d\n\ne\n";
    write(
      [
        [
          ["0.txt", captions],
          ["0.png", ""],
          ["1.txt", ""],
          ["1.png", ""],
        ],
      ],
      { "dataset_type.txt": "retrieval" },
    );
    const dataset = await read();
    assert.deepEqual(dataset.kind === "retrieval" && dataset.captions, [[" a \\n b", "c", "d", "", "e"], []]);
  });

  for (const [about, files, message] of [
    [
      "a missing label",
      [["a.png", ""]],
      /0\.tar:a: expected a part with the suffix \.cls, found \.png; the parts/,
    ],
    [
      "a missing image",
      [
        ["a.gif", ""],
        ["a.cls", "0"],
      ],
      /suffix \.webp, \.png, \.jpg, \.jpeg, found \.gif, \.cls/,
    ],
    [
      "samples that are not contiguous",
      [
        ["a.cls", "0"],
        ["b.cls", "0"],
        ["a.png", ""],
      ],
      /tar:a: expected a part/,
    ],
    [
      "a part twice",
      [
        ["a.cls", "0"],
        ["a.CLS", "1"],
      ],
      /the sample has two parts with the suffix \.cls/,
    ],
    [
      "a label that is not a number",
      [
        ["a.cls", "cat"],
        ["a.png", ""],
      ],
      /a\.cls: expected a class as .* found "cat"/,
    ],
    [
      "a negative label",
      [
        ["a.cls", "-1"],
        ["a.png", ""],
      ],
      /expected a class as a whole number from 0, found "-1"/,
    ],
    ["an empty shard", [], /expected at least one sample in the 1 shards, found none/],
  ] as [string, TarFile[], RegExp][]) {
    it(`refuses ${about}`, async () => {
      write([files]);
      await assert.rejects(read(), { name: "InputError", message });
    });
  }

  it("refuses a shard that is cut short, an unknown type and an unknown split", async () => {
    write([
      [
        ["a.cls", "0"],
        ["a.png", "image"],
      ],
    ]);
    await assert.rejects(read("train"), {
      message: /train\/nshards\.txt: .*\(the splits are test; choose with --split/,
    });
    writeFileSync(folder.file("dataset_type.txt"), "captions");
    await assert.rejects(read(), {
      message: /expected classification, multilabel, retrieval, found "captions"/,
    });
    writeFileSync(folder.file("dataset_type.txt"), "");
    await assert.rejects(read(), { message: /found ""/ });
    rmSync(folder.file("dataset_type.txt"));
    writeFileSync(folder.file("test", "0.tar"), Buffer.alloc(700, "x"));
    await assert.rejects(read(), { name: "InputError", message: /0\.tar: / });
    writeFileSync(folder.file("test", "nshards.txt"), "many");
    await assert.rejects(read(), { message: /expected the number of shards, found "many"/ });
  });

  it("is recognised by nshards.txt in a folder", async () => {
    assert.equal(await webDataset.recognizes(datasetFiles, folder.path), false);
    write([[]]);
    assert.equal(await webDataset.recognizes(datasetFiles, folder.path), true);
    assert.equal(await webDataset.recognizes(datasetFiles, join(folder.path, "test")), false);
  });
});
