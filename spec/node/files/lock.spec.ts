import assert from "node:assert/strict";
import { utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { takeLock, withLock } from "../../../lib/node/files/lock.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("lock", () => {
  const folder = temporaryFolder();
  const { signal } = new AbortController();

  it("has one holder; the next one waits until it is released", async () => {
    const path = folder.file("lock");
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      const onWait = (): void => void order.push(`${name} waits`);
      await withLock(path, { onWait, signal }, async () => {
        order.push(`${name} begins`);
        assert.deepEqual(await takeLock(path), { heldBy: `${process.pid} ${hostname()}` });
        order.push(`${name} ends`);
      });
    };
    await Promise.all([work("a"), work("b")]);
    const isAFirst = order.find((line) => line.endsWith("begins")) === "a begins";
    const [first, second] = isAFirst ? ["a", "b"] : ["b", "a"];
    assert.deepEqual(
      order.filter((line) => !line.endsWith("waits")),
      [`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`],
    );
    assert.equal(order.filter((line) => line.endsWith("waits")).length, 1);
  });

  it("lets the waiting be aborted", async () => {
    const path = folder.file("lock");
    await writeFile(path, `${process.pid} ${hostname()}\n`);
    const controller = new AbortController();
    const giveUp = (): void => {
      controller.abort(new Error("aborted"));
    };
    await assert.rejects(
      withLock(path, { onWait: giveUp, signal: controller.signal }, () => assert.fail("it is held")),
      { name: "AbortError" },
    );
  });

  it("is taken over from a dead process at once, and from another machine once it is untouched", async () => {
    for (const [holder, age, isFree] of [
      [`999999999 ${hostname()}`, 0, true],
      [`${process.pid} ${hostname()}`, 10, false],
      [`${process.pid} ${hostname()}`, 60, true],
      ["1 elsewhere", 10, false],
      ["1 elsewhere", 60, true],
      ["", 10, false],
    ] as const) {
      const path = folder.file(`lock of ${holder} for ${age}`);
      await writeFile(path, `${holder}\n`);
      const then = Date.now() / 1000 - age;
      await utimes(path, then, then);
      const lock = await takeLock(path);
      assert.equal("release" in lock, isFree, path);
      if ("release" in lock) await lock.release();
    }
  });
});
