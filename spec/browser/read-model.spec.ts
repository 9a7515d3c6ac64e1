import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { findModelFiles } from "../../lib/browser/model-files.ts";
import { blobFolder } from "../../lib/browser/model-folder.ts";
import { readModel } from "../../lib/browser/read-model.ts";
import type { Clip } from "../../lib/clip/clip.ts";
import { Golden } from "../../lib/parity/golden.ts";
import { verify } from "../../lib/parity/verify.ts";
import { BytesSource } from "../../lib/tensor/bytes-source.ts";
import { fixture } from "../support/paths.ts";

/** The files of a fixture, as a drop gives them. */
function dropped(folder: string): Map<string, Blob> {
  const paths = readdirSync(fixture(folder), { recursive: true }) as string[];
  return new Map(
    paths
      .filter((path) => statSync(fixture(`${folder}/${path}`)).isFile())
      .map((path) => [path, new Blob([readFileSync(fixture(`${folder}/${path}`))])]),
  );
}

function open(folder: string, files = dropped(folder)): Promise<Clip> {
  return readModel(blobFolder("dropped", files), findModelFiles("dropped", [...files.keys()]));
}

describe("readModel", () => {
  for (const name of ["gelu-mlp", "no-projection", "plain-quickgelu"]) {
    it(`opens the dropped files of ${name}, which give the golden's values`, async () => {
      const model = await open(`tiny/${name}`);
      const golden = await Golden.open(
        new BytesSource("golden", readFileSync(fixture(`tiny/${name}/golden.safetensors`))),
      );
      assert.equal((await verify(model, golden)).passed, true);
      await model.dispose();
    });
  }

  it("names the file that is missing", async () => {
    const files = dropped("tiny/gelu-mlp");
    files.delete("text/config.json");
    await assert.rejects(
      open("tiny/gelu-mlp", files),
      /dropped: expected the file text\/config\.json, found none/,
    );
    const model = await open("tiny/plain");
    await assert.rejects(model.tokenizer(), /dropped: the model has no tokenizer/);
    await model.dispose();
  });
});
