import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
import type { Clip } from "../../../lib/clip/clip.ts";
import { embedImage, embedImages, rankImages } from "../../../lib/node/images/embed-images.ts";
import { maximumStreamBytes } from "../../../lib/node/images/image-content.ts";
import { readImages } from "../../../lib/node/images/read-images.ts";
import type { ImageInput } from "../../../lib/tasks/image-source.ts";
import { fixture } from "../../support/paths.ts";
import { openTinyClip } from "../../support/tiny-clip.ts";

const path = fixture("images/jpeg-444.jpg");

describe("images that are not in files", () => {
  let model: Clip;
  let bytes: Buffer;

  before(async () => {
    model = await openTinyClip();
    bytes = await readFile(path);
  });

  after(() => model.dispose());

  /** The same image in every form. Streams can be read once. */
  function forms(): Record<string, ImageInput> {
    const copy = new Uint8Array(bytes);
    const padded = new Uint8Array(bytes.length + 100);
    padded.set(bytes, 50);
    return {
      path,
      Buffer: bytes,
      "a view of a larger buffer": padded.subarray(50, 50 + bytes.length),
      ArrayBuffer: copy.buffer,
      Blob: new Blob([copy]),
      File: new File([copy], "cat.jpg"),
      Readable: createReadStream(path, { highWaterMark: 100 }),
      ReadableStream: new Blob([copy]).stream(),
      "an async generator": (async function* () {
        yield await Promise.resolve(copy.subarray(0, 10));
        yield copy.subarray(10);
      })(),
      "a data: URL": `data:image/jpeg;base64,${bytes.toString("base64")}`,
      named: { name: "a name", content: bytes },
    };
  }

  for (const workers of [0, 2]) {
    it(`give the same embedding as a file, with ${workers} threads`, async () => {
      const images = forms();
      const rows: number[][] = [];
      const paths: string[] = [];
      for await (const batch of embedImages(model, Object.values(images), { workers, batchSize: 4 })) {
        rows.push(...(await batch.features.array()));
        paths.push(...batch.paths);
        batch.features.dispose();
      }
      assert.equal(rows.length, Object.keys(images).length);
      for (const [i, form] of Object.keys(images).entries()) assert.deepEqual(rows[i], rows[0], form);
      assert.deepEqual(paths.slice(0, 3), [path, "images[1]", "images[2]"]);
      assert.equal(paths[5], "cat.jpg");
      assert.match(paths[9]!, /^data:image\/jpeg;base64,.{17}…$/);
      assert.equal(paths[10], "a name");
      // The caller's bytes are still there.
      assert.deepEqual(bytes, await readFile(path));
    });
  }

  it("are taken by readImages, embedImage and rankImages", async () => {
    const pixels = await readImages(Object.values(forms()), model.preprocess);
    const [first, ...others] = await pixels.array();
    for (const other of others) assert.deepEqual(other, first);
    pixels.dispose();
    const query = await embedImage(model, bytes, { normalize: true });
    const ranked = await rankImages(model, query, [bytes, fixture("images/png-gray8.png")], { top: 1 });
    assert.deepEqual(
      ranked.map(({ path: name }) => name),
      ["images[0]"],
    );
    query.dispose();
  });

  for (const workers of [0, 2]) {
    it(`give errors that name them, with ${workers} threads`, async () => {
      const consumed = new Blob([new Uint8Array(bytes)]).stream();
      await consumed.cancel();
      void consumed.getReader();
      const images: [image: unknown, message: RegExp][] = [
        [bytes.subarray(0, 300), /^images\[0\]: expected a complete JPEG image, found a truncated file/],
        [{ name: "cut", content: bytes.subarray(0, 300) }, /^cut: expected a complete JPEG/],
        ["data:image/png;base64,!!!!", /^data:image\/png;base64,!!!!: not a valid data: URL/],
        ["data:nothing", /^data:nothing: not a valid data: URL/],
        [Readable.from(["text"]), /^images\[4\]: expected a stream of bytes, got string/],
        [Readable.from([1, 2]), /^images\[5\]: expected a stream of bytes, got number/],
        [consumed, /^images\[6\]: its bytes cannot be read \(.*locked/],
        [
          new Readable({
            read() {
              this.destroy(new Error("connection reset"));
            },
          }),
          /^images\[7\]: its bytes cannot be read \(connection reset\)/,
        ],
        [new Uint8Array(0), /^images\[8\]: expected an image .* found an empty file/],
      ];
      const errors: string[] = [];
      const given = images.map(([image]) => image as ImageInput);
      for await (const { features } of embedImages(model, given, {
        workers,
        onError: ({ message }) => errors.push(message),
      })) {
        features.dispose();
      }
      assert.equal(errors.length, images.length);
      for (const [i, [, message]] of images.entries()) assert.match(errors[i]!, message);
    });
  }

  it("stop an endless stream at the limit", async function () {
    this.timeout(60_000);
    const chunk = new Uint8Array(2 ** 24);
    let given = 0;
    let closed = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        given += chunk.length;
        controller.enqueue(chunk);
      },
      cancel: () => {
        closed += 1;
      },
    });
    await assert.rejects(readImages([endless], model.preprocess), {
      name: "InputError",
      message: `images[0]: expected an image of at most ${maximumStreamBytes} bytes, found more; make it smaller`,
    });
    assert.equal(closed, 1);
    assert.ok(given <= maximumStreamBytes + 3 * chunk.length);
  });

  it("close streams that are being read if the consumer stops", async () => {
    let closed = 0;
    const close = (): void => {
      closed += 1;
    };
    const silent = new ReadableStream<Uint8Array>({ cancel: close });
    const waiting = new Readable({
      read: () => undefined,
      destroy: (_error, done) => {
        close();
        done(null);
      },
    });
    const images = [bytes, bytes, bytes, silent, waiting];
    for await (const { features } of embedImages(model, images, { workers: 2, batchSize: 1 })) {
      features.dispose();
      break;
    }
    assert.equal(closed, 2);
  });

  it("refuse a single image in the place of a list", async () => {
    await assert.rejects(readImages(path as unknown as string[], model.preprocess), {
      name: "InputError",
      message: /^readImages: expected a list of images, found the text ".*"; put it into \[ \]$/,
    });
    assert.throws(
      () => embedImages(model, bytes as unknown as string[]),
      /expected a list of images, found a Buffer/,
    );
  });

  it("refuse what is not an image, before any is read", () => {
    for (const image of [null, 7]) {
      assert.throws(() => embedImages(model, [path, image as unknown as string]), {
        name: "InputError",
        message: /^embedImages: expected .* at position 1 of the list, found /,
      });
    }
  });
});
