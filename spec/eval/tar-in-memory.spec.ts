import assert from "node:assert/strict";
import { membersOfTar } from "../../lib/eval/tar-in-memory.ts";
import { writeTar } from "../../tools/datasets/encode/tar.ts";

describe("membersOfTar", () => {
  const entries = [
    { name: "a/empty", content: Buffer.alloc(0) },
    { name: "a/one block", content: Buffer.alloc(512, "x") },
    { name: "b", content: Buffer.from("text") },
  ];

  it("gives the files by their paths", () => {
    const members = membersOfTar(writeTar(entries), "x.tar");
    assert.deepEqual(
      [...members].map(([name, content]) => ({ name, content: Buffer.from(content) })),
      entries,
    );
  });

  it("refuses a tar that is cut short, and other files", () => {
    const whole = writeTar(entries);
    assert.throws(() => membersOfTar(whole.subarray(0, 1300), "x.tar"), {
      name: "InputError",
      message: "x.tar: damaged at byte 512 of the tar; download it again",
    });
    assert.throws(() => membersOfTar(Buffer.alloc(1024, "z"), "x.tar"), { name: "InputError" });
  });
});
