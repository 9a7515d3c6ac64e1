import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { InputError } from "../../../lib/errors/input-error.ts";
import { decodeImage } from "../../../lib/image/decode.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { DecodeThread } from "../../../lib/node/serve/decode-thread.ts";
import { imageReader } from "../../../lib/node/images/image-reader.ts";
import { demoModel, readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { png } from "../../support/bombs.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const heart = `${demoModel}/samples/orange-heart.jpg`;
const signal = new AbortController().signal;

describe("DecodeThread", () => {
  const folder = temporaryFolder();
  let thread: DecodeThread;
  let options: ConstructorParameters<typeof DecodeThread>[0];
  before(async () => {
    const { preprocess } = await readModelDirectory(demoModel);
    options = { config: preprocess, exifOrientation: false, convertToRgbFirst: false };
  });
  beforeEach(() => {
    thread = new DecodeThread(options);
  });
  afterEach(() => thread.close());

  const content = () => new Uint8Array(readFileSync(heart));

  it("decodes as the model reads images elsewhere", async () => {
    const expected = await imageReader(options)({ name: "heart", content: content() });
    assert.deepEqual(await thread.pixels({ name: "heart", content: content() }, signal), expected);
  });

  it("makes JPEG thumbnails", async () => {
    const jpeg = await thread.thumbnail(heart, 64, signal);
    const { width, height } = await decodeImage(jpeg, "thumbnail", nodeCodecs());
    assert.equal(Math.max(width, height), 64);
  });

  it("an image that cannot be read fails alone", async () => {
    const good = () => thread.pixels({ name: "heart", content: content() }, signal);
    const all = await Promise.allSettled([
      good(),
      thread.pixels({ name: "image", content: new Uint8Array(Buffer.from("not an image")) }, signal),
      thread.thumbnail(folder.file("missing.png"), 64, signal),
      good(),
    ]);
    assert.deepEqual(
      all.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected", "fulfilled"],
    );
    const [, text, missing] = all as PromiseRejectedResult[];
    assert.ok(text!.reason instanceof InputError && missing!.reason instanceof InputError);
  });

  it("refuses an image that claims to be enormous", async () => {
    const bomb = new Uint8Array(png(60_000, 60_000, new Uint8Array(0)));
    await assert.rejects(thread.pixels({ name: "image", content: bomb }, signal), InputError);
  });

  it("ends an image that takes too long, and goes on with the next", async () => {
    // The thread starts within this time or does not: either way the image fails, and a new thread takes the next.
    const impatient = new DecodeThread({ ...options, timeout: 1 });
    try {
      const late = impatient.pixels({ name: "heart", content: content() }, signal);
      await assert.rejects(late, /expected one that is decoded within 0\.001 s/);
      await assert.rejects(impatient.thumbnail(heart, 64, signal), /decoded within/);
    } finally {
      await impatient.close();
    }
  });

  it("leaves out what nobody waits for, and fails what waits when it is closed", async () => {
    const stop = new AbortController();
    const running = thread.pixels({ name: "heart", content: content() }, signal);
    const given = thread.pixels({ name: "heart", content: content() }, stop.signal);
    stop.abort(new Error("gone"));
    await assert.rejects(given, /gone/);
    await running;
    const waits = [0, 1].map(() => thread.pixels({ name: "heart", content: content() }, signal));
    const settled = Promise.allSettled(waits);
    await thread.close();
    for (const { status } of await settled) assert.equal(status, "rejected");
    await assert.rejects(thread.pixels({ name: "heart", content: content() }, signal), /closed/);
  });
});
