import { strict as assert } from "node:assert";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { readTokenizer } from "../../../lib/node/models/read-tokenizer.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { fixture } from "../../support/paths.ts";

describe("readTokenizer", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipscope-"));
    for (const part of ["open_clip_config.json", "text"]) {
      await cp(fixture(`tiny/gelu-mlp/${part}`), join(folder, part), { recursive: true });
    }
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function configure(textOptions: object): Promise<void> {
    const path = join(folder, "open_clip_config.json");
    const config = JSON.parse(await readFile(path, "utf8")) as { model_cfg: { text_cfg: object } };
    Object.assign(config.model_cfg.text_cfg, textOptions);
    await writeFile(path, JSON.stringify(config));
  }

  const encode = async (text: string): Promise<number[]> =>
    (await readTokenizer(await readModelDirectory(folder))).encode(text);

  it("prefers the model directory to the folders that the config names", async () => {
    await assert.rejects(encode("a cat"), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(
        error.message,
        /^no tokenizer: expected tokenizer.json, sentencepiece.bpe.model, vocab.txt, spiece.model in /,
      );
      return true;
    });
    await cp(fixture("tokenizer/sentencepiece.bpe.model"), join(folder, "text", "sentencepiece.bpe.model"));
    const found = await encode("a cat");
    await mkdir(join(folder, "other"));
    await writeFile(join(folder, "tokenizer.json"), "{}");
    await assert.rejects(encode("a cat"), /tokenizer.json/, "the model directory has priority");
    assert.ok(found.length > 2);
  });

  it("follows context_length and tokenizer_kwargs", async () => {
    await cp(fixture("tokenizer/tokenizer.json"), join(folder, "tokenizer.json"));
    const plain = await encode("A Cat, a cat, a cat.");
    await configure({ context_length: 5 });
    assert.deepEqual(await encode("A Cat, a cat, a cat."), [...plain.slice(0, 4), 2]);
    await configure({
      context_length: 77,
      tokenizer_kwargs: { clean: "canonicalize", strip_sep_token: true },
    });
    assert.deepEqual(await encode("A Cat, a cat, a cat."), [
      ...(await plainly("a cat a cat a cat")).slice(0, -1),
      0,
    ]);
  });

  async function plainly(text: string): Promise<number[]> {
    await configure({ tokenizer_kwargs: {} });
    return encode(text);
  }

  it("needs no file for the English models", async () => {
    const directory = await readModelDirectory(fixture("tiny/plain"));
    // open_clip's get_tokenizer("ViT-B-32")("a photo of a cat"), cut to this model's context.
    assert.deepEqual(
      (await readTokenizer(directory)).encode("a photo of a cat"),
      [49406, 320, 1125, 539, 320, 2368, 49407],
    );
  });
});
