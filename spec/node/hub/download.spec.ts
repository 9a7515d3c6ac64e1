import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  assertRefused,
  demo,
  demoFiles,
  hubRoom,
  pull,
  quickRetries,
  weights,
  weightsDigest,
  weightsName,
} from "../../support/pull.ts";
import { leaveLock } from "../../support/leave-lock.ts";

describe("downloadBlob", () => {
  const room = hubRoom();

  it("resumes after a dropped connection, without requesting bytes twice", async () => {
    room.hub.add(demo, demoFiles);
    const waits: string[] = [];
    const arrived: number[] = [];
    let last = 0;
    room.disturbDownloads({ cutAfter: 1_000_000 }, { silentAfter: 500_000 });
    await pull(demo, {
      retryPolicy: { ...quickRetries, idleTimeout: 1500 },
      onWait: (reason) => {
        waits.push(reason);
        arrived.push(last);
      },
      onProgress: (done, before, total) => {
        assert.ok(done > last && before === 0 && done <= total);
        last = done;
      },
    });
    assert.equal(waits.length, 2);
    assert.match(waits[0]!, /^localhost:\d+: the connection failed .*; trying again in 1 s$/);
    assert.match(waits[1]!, /no byte for 1\.5 s/);
    const ranges = room.hub.downloads
      .filter(({ path }) => path.endsWith(weightsDigest))
      .map(({ range }) => range);
    assert.equal(ranges[0], undefined);
    assert.deepEqual(
      ranges.slice(1),
      arrived.map((bytes) => `bytes=${bytes}-`),
    );
    assert.ok(arrived[0]! > 0 && arrived[0]! <= 1_000_000 && arrived[1]! > arrived[0]!, `${arrived}`);
    assert.equal(last, weights.length + demoFiles["tokenizer.json"]!.length);
    assert.deepEqual(await readFile(room.blob()), weights);
  });

  it("gives up after failures in a row and keeps the partial file, which the next run resumes", async () => {
    const commit = room.hub.add(demo, demoFiles);
    room.disturbDownloads({ cutAfter: 700_000 }, { cutAfter: 0 }, { status: 503 });
    await assertRefused(pull(demo), /status 503\), 3 times; run the command again to continue/);
    const { size } = await stat(room.partial());
    assert.ok(size > 0 && size <= 700_000, `${size}`);
    const place = room.cache("models--clipscope--demo");
    assert.deepEqual(await readdir(join(place, "snapshots", commit)), ["open_clip_config.json", "text"]);
    await assert.rejects(stat(join(place, "refs", "main")), "the branch does not point to a partial model");
    room.hub.requests.length = 0;
    const { files } = await pull(demo);
    assert.equal(room.hub.downloads[0]!.range, `bytes=${size}-`);
    assert.equal(files.find(({ path }) => path === weightsName)!.downloaded, weights.length - size);
    assert.deepEqual(await readFile(room.blob()), weights);
  });

  it("starts again if the server ignores ranges", async () => {
    room.hub.add(demo, demoFiles);
    room.disturbDownloads({ cutAfter: 900_000 }, { ignoresRange: true });
    await pull(demo);
    assert.deepEqual(await readFile(room.blob()), weights);
    await assert.rejects(stat(room.partial()));
  });

  it("refuses and deletes a file with another digest", async () => {
    room.hub.add(demo, demoFiles);
    room.disturbDownloads({ corrupt: true });
    await assertRefused(
      pull(demo),
      new RegExp(
        `^${weightsName}: expected SHA-256 ${weightsDigest}, found [0-9a-f]{64}; .*run the command again$`,
      ),
    );
    await assert.rejects(stat(room.partial()));
    await assert.rejects(stat(room.blob()));
    room.hub.fault = ({ path }) => (path.endsWith("/open_clip_config.json") ? { corrupt: true } : undefined);
    room.hub.add("clipscope/small", demoFiles);
    await assertRefused(
      pull("clipscope/small"),
      /^open_clip_config\.json: expected git's SHA-1 [0-9a-f]{40}, found/,
    );
  });

  it("starts again if a partial file is damaged, as a power failure leaves it", async () => {
    room.hub.add(demo, demoFiles);
    room.disturbDownloads({ cutAfter: 700_000 }, { status: 500 }, { status: 500 }, { status: 500 });
    await assertRefused(pull(demo), /status 500/);
    const bytes = await readFile(room.partial());
    bytes[5]! ^= 1;
    await writeFile(room.partial(), bytes);
    await pull(demo);
    assert.deepEqual(
      room.hub.downloads
        .filter(({ path }) => path === `/${weightsDigest}`)
        .slice(-2)
        .map(({ range }) => range),
      ["bytes=700000-", undefined],
    );
    assert.deepEqual(await readFile(room.blob()), weights);
  });

  it("discards a partial file that is too long", async () => {
    room.hub.add(demo, demoFiles);
    await mkdir(dirname(room.partial()), { recursive: true });
    await writeFile(room.partial(), new Uint8Array(weights.length + 1));
    await pull(demo);
    assert.equal(room.hub.downloads[0]!.range, undefined);
    assert.deepEqual(await readFile(room.blob()), weights);
  });

  it("lets one of two processes download while the other waits", async () => {
    room.hub.add(demo, demoFiles);
    const waits: string[] = [];
    const both = await Promise.all([
      pull(demo, { onWait: (reason) => waits.push(reason) }),
      pull(demo, { onWait: (reason) => waits.push(reason) }),
    ]);
    assert.ok(waits.some((reason) => /^another process is downloading .*; waiting for it$/.test(reason)));
    const digests = room.hub.downloads.map(({ path }) => path);
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(both[0].folder, both[1].folder);
    assert.deepEqual(await readFile(room.blob()), weights);
  });

  it("resumes the download of a killed process", async () => {
    room.hub.add(demo, demoFiles);
    await mkdir(dirname(room.partial()), { recursive: true });
    await writeFile(room.partial(), weights.subarray(0, 1000));
    leaveLock(`${room.partial()}.lock`);
    await pull(demo);
    assert.equal(room.hub.downloads[0]!.range, "bytes=1000-");
    assert.deepEqual(
      (await readdir(dirname(room.partial()))).filter((name) => name.includes("clipscope")),
      [],
    );
  });

  // Only Linux has a device on which every write fails. The spec of the command line uses a limit on all systems.
  if (process.platform === "linux") {
    it("reports a full disk in one line", async () => {
      room.hub.add(demo, demoFiles);
      await mkdir(dirname(room.partial()), { recursive: true });
      await symlink("/dev/full", room.partial());
      await assertRefused(pull(demo), /\.incomplete: the disk is full; make room or choose another disk$/);
    });
  }
});
