/** Commands on a disk that is full, fails, or is read-only: one line, exit status 2, old files stay, nothing is left. */
import assert from "node:assert/strict";
import { getSystemErrorMap } from "node:util";
import { constants } from "node:os";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clipscope, type Result } from "../support/cli.ts";
import type { FileCall } from "../support/faults/file-calls.ts";
import { forEachScenario } from "../support/faults/for-each-scenario.ts";
import { differences, snapshot } from "../support/faults/snapshot.ts";
import type { Point, Trials } from "../support/faults/trial.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** How many calls of each command fail, one after the other. */
const failures = Number(process.env["CLIPSCOPE_FAILURES"] ?? 3);

/** Which calls fail with which error, and whether all later ones fail too. */
const faults = [
  { code: "ENOSPC", calls: ["open", "write", "mkdir", "link", "symlink", "copy", "sync"], stays: true },
  { code: "EDQUOT", calls: ["write", "copy", "close", "sync"], stays: false },
  { code: "EIO", calls: ["write", "sync", "rename", "close", "truncate"], stays: false },
  { code: "EACCES", calls: ["open", "mkdir", "symlink", "rename"], stays: false },
  { code: "EROFS", calls: ["open", "mkdir", "symlink", "rename", "link", "copy", "write"], stays: true },
] as const;

function systemError(code: string, { name, paths }: FileCall): Error {
  const errno = -constants.errno[code as keyof typeof constants.errno];
  const [, reason = code] = getSystemErrorMap().get(errno) ?? [];
  return Object.assign(new Error(`${code}: ${reason}, ${name} '${paths.at(-1)}'`), {
    code,
    errno,
    syscall: name,
  });
}

/** The lines that a user sees. @param folder its name is random, and can end like the code of an error */
function assertOneLine({ status, stderr }: Result, folder: string, describe: string, mostErrors = 1): void {
  const seen = `${describe}: exit status ${status}, standard error ${JSON.stringify(stderr)}`;
  assert.equal(status, 2, seen);
  assert.match(stderr, new RegExp(`^(clipscope: [^\n]+\n){1,${mostErrors}}$`), seen);
  assert.doesNotMatch(stderr.replaceAll(folder, "FOLDER"), /internal error|undefined|\bE[A-Z]{2,}:/, seen);
}

/** At most `failures` points, spread evenly. */
function sample(points: readonly Point[]): Point[] {
  const step = Math.max(1, points.length / failures);
  const count = Math.min(points.length, failures);
  return Array.from({ length: count }, (_, i) => points[points.length - 1 - Math.floor(i * step)]!);
}

async function failAt(
  trials: Trials,
  at: number,
  { code, calls, stays }: (typeof faults)[number],
): Promise<boolean> {
  return trials.inFolder(async (folder) => {
    let count = 0;
    let isFailing = false;
    const result = await trials.disturbed(folder, (call) => {
      count += 1;
      const isMeant = (calls as readonly string[]).includes(call.name);
      if (!isMeant || !(count === at || (stays && isFailing))) return call.proceed();
      isFailing = true;
      if (call.name === "write") call.half?.();
      const error = systemError(code, call);
      // The synchronous functions throw.
      if (call.isSync) throw error;
      return Promise.reject(error);
    });
    const describe = `${code} at call ${at}, ${JSON.stringify(trials.points[at - 1])}`;
    if (result.status === 0) {
      // Removing what is no longer needed may fail.
      assert.deepEqual(differences(snapshot(folder), trials.after), [], describe);
      return false;
    }
    assertOneLine(result, folder, describe, trials.scenario.mostErrors);
    assert.deepEqual(trials.broken(snapshot(folder)), [], describe);
    if (code !== "EROFS") assert.deepEqual(trials.remains(folder), [], describe);
    // On a file system that has become read-only, nothing can be moved back.
    const { unfinished, isComplete } = trials.scenario;
    if (unfinished === undefined && isComplete === undefined && code !== "EROFS") {
      assert.deepEqual(differences(snapshot(folder), trials.before), [], describe);
    }
    assert.deepEqual(await trials.rerun(folder), [], `${describe}: after the next run`);
    return true;
  });
}

describe("a disk that fails", function () {
  this.timeout(0);

  describe("at any call gives one line and status 2, and the next run succeeds", () => {
    forEachScenario(async (trials) => {
      let count = 0;
      for (const fault of faults) {
        const points = trials.points.filter(({ name }) => (fault.calls as readonly string[]).includes(name));
        for (const { at } of sample(points)) count += Number(await failAt(trials, at, fault));
      }
      console.log(`      ${count} failures`);
    });
  });

  if (process.platform === "linux" && process.getuid?.() === 0) {
    describe("as a mounted file system", () => {
      let place: string;
      // Before the folder around it is deleted.
      afterEach(() => {
        const { status, stderr } = spawnSync("umount", [place]);
        assert.equal(status, 0, stderr.toString());
      });
      const folder = temporaryFolder();
      const mount = (...args: string[]): void => {
        assert.equal(spawnSync("mount", args).status, 0, `mount ${args.join(" ")}`);
      };
      beforeEach(() => {
        place = folder.file("disk");
        mkdirSync(place);
        mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", place);
      });

      const traced = (): Promise<Result> =>
        clipscope(["trace", "--text", "a cat", "--out", join(place, "out"), "--backend", "wasm"]);

      it("that is full", async () => {
        writeFileSync(join(place, "out"), "old");
        assertOneLine(await traced(), folder.path, "full");
        assert.deepEqual([...snapshot(place)], [["out", "old"]]);
        mount("-o", "remount,size=64m", place);
        assert.equal((await traced()).status, 0);
        assert.equal(readFileSync(join(place, "out")).readUInt8(8), "{".charCodeAt(0));
      });

      it("that is read-only", async () => {
        writeFileSync(join(place, "out"), "old");
        mount("-o", "remount,ro", place);
        const { stderr, ...result } = await traced();
        assertOneLine({ ...result, stderr }, folder.path, "read-only");
        assert.match(stderr, /out: the file system is read-only; write to another place\n$/);
        mount("-o", "remount,rw,size=64m", place);
        assert.equal((await traced()).status, 0);
      });
    });
  }
});
