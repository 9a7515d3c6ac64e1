import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { clipscope } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Tokenized {
  readonly text: string;
  readonly ids: readonly number[];
}

describe("clipscope tokenize", () => {
  const folder = temporaryFolder();

  async function tokenizeFile(name: string, content: string | Uint8Array): Promise<Tokenized[]> {
    const path = folder.file(name);
    await writeFile(path, content);
    const { status, stdout, stderr } = await clipscope(["tokenize", "--file", path, "--json"]);
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Tokenized[];
  }

  it("shows the cleaned text, pieces and ids", async () => {
    const { status, stdout } = await clipscope(["tokenize", " 4  &amp;  ４ "]);
    assert.equal(status, 0);
    const [text, pieces, ids] = stdout.split("\n");
    assert.equal(text, "text    4 & 4");
    assert.match(pieces!, /^pieces {2}<s> ▁.*<\/s>$/);
    assert.match(ids!, /^ids {5}0 [\d ]+ 2$/);
    assert.equal(pieces!.split(" ").length - 2, ids!.split(/ +/).length - 1);
  });

  it("--json prints the text unchanged, and ids without padding", async () => {
    const { stdout } = await clipscope(["tokenize", " a ", "--json"]);
    const [{ text, ids }] = JSON.parse(stdout) as [Tokenized];
    assert.equal(text, " a ");
    assert.equal(ids[0], 0);
    assert.equal(ids.at(-1), 2);
    assert.ok(!ids.includes(1));
  });

  it("cuts to the context length", async () => {
    const { stdout } = await clipscope(["tokenize", "cat ".repeat(200), "--json"]);
    const [{ ids }] = JSON.parse(stdout) as [Tokenized];
    assert.equal(ids.length, 77);
    assert.equal(ids.at(-1), 2);
  });

  it("accepts a blank text", async () => {
    const { stdout } = await clipscope(["tokenize", "", "--json"]);
    assert.deepEqual(JSON.parse(stdout), [{ text: "", ids: [0, 2] }]);
  });

  it("splits a file only at \\n and ignores the last one", async () => {
    const texts = ["a\r", "", "b\u2028c\u0085d\vf", "\ufeffe"];
    const result = await tokenizeFile("texts.txt", `${texts.join("\n")}\n`);
    assert.deepEqual(
      result.map(({ text }) => text),
      texts,
    );
    assert.deepEqual(result[1]!.ids, [0, 2]);
  });

  it("reads no text from an empty file, one from an empty line, and needs no final line break", async () => {
    assert.deepEqual(await tokenizeFile("texts.txt", ""), []);
    assert.deepEqual(await tokenizeFile("texts.txt", "\n"), [{ text: "", ids: [0, 2] }]);
    assert.equal((await tokenizeFile("texts.txt", "a\nb")).length, 2);
  });

  it("keeps a byte order mark, like Python", async () => {
    const [first] = await tokenizeFile("texts.txt", "\ufeffa\n");
    assert.equal(first!.text, "\ufeffa");
  });

  it("reads .jsonl: a string or an object with text per line", async () => {
    const result = await tokenizeFile("texts.jsonl", '"a\\nb"\n{"id": 1, "text": "c"}\n');
    assert.deepEqual(
      result.map(({ text }) => text),
      ["a\nb", "c"],
    );
  });

  it("reads standard input", async () => {
    const { stdout } = await clipscope(["tokenize", "--file", "-", "--json"], { stdin: "猫\n犬\n" });
    assert.deepEqual(
      (JSON.parse(stdout) as Tokenized[]).map(({ text }) => text),
      ["猫", "犬"],
    );
  });

  it("names the line of a bad entry", async () => {
    const jsonl = folder.file("wrong.jsonl");
    await writeFile(jsonl, '"a"\n{"texts": []}\n');
    const wrong = await clipscope(["tokenize", "--file", jsonl]);
    assert.equal(wrong.status, 2);
    assert.equal(
      wrong.stderr,
      `clipscope: ${jsonl}: line 2: expected a string or {"text": "…"}, found an object with "texts"\n`,
    );
    const latin = folder.file("latin.txt");
    await writeFile(latin, Buffer.from("caf\xe9", "latin1"));
    assert.equal(
      (await clipscope(["tokenize", "--file", latin])).stderr,
      `clipscope: ${latin}: expected UTF-8 text; re-save the file as UTF-8\n`,
    );
    assert.equal(
      (await clipscope(["tokenize", "--file", "nowhere.txt"])).stderr,
      "clipscope: nowhere.txt: no such file or folder\n",
    );
  });

  it("refuses both a text and a file, or neither", async () => {
    const message = 'clipscope: expected either a text (clipscope tokenize "a cat") or --file\n';
    assert.deepEqual(await clipscope(["tokenize"]), { status: 2, stdout: "", stderr: message });
    assert.equal((await clipscope(["tokenize", "a", "--file", "b"])).stderr, message);
  });
});
