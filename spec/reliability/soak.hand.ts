/**
 * A soak: images and texts are embedded concurrently by models that come and go, while errors are injected. Results stay
 * those of each input alone, and neither memory nor tensors nor open files grow.
 *
 * CLIPSCOPE_SOAK_SECONDS: how long, by default 90. CLIPSCOPE_SOAK_ITEMS: until so many images and texts are done instead.
 * CLIPSCOPE_SOAK_SEED: another sequence of jobs, by default 1.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { memory, zeros, type Tensor2D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { embedImage, embedImages } from "../../lib/node/images/embed-images.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { zeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { readTap, withTaps } from "../../lib/tensor/taps.ts";
import { fixture } from "../support/paths.ts";

const seconds = Number(process.env["CLIPSCOPE_SOAK_SECONDS"] ?? 90);
const wantedItems = Number(process.env["CLIPSCOPE_SOAK_ITEMS"] ?? 0);
const seed = Number(process.env["CLIPSCOPE_SOAK_SEED"] ?? 1);

const formats = [
  "png-rgb8.png",
  "jpeg-420.jpg",
  "webp-lossy.webp",
  "gif-palette.gif",
  "tiff-lzw.tif",
  "bmp-rgb.bmp",
];
const samples = readdirSync(join(demoModel, "samples")).map((name) => join(demoModel, "samples", name));
const goodImages = [...samples, ...formats.map((name) => fixture(`images/${name}`))];
const texts = [
  "two red circles",
  "ein Stern",
  "trois carrés bleus",
  "猫",
  "a",
  "four green crescents ".repeat(9),
];
const labels = ["red circles", "brown stars", "an orange heart", "purple squares"];

class InjectedError extends Error {}

describe("a soak", () => {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-soak-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("keeps results, memory, tensors and files as they are", async function () {
    this.timeout(0);
    const badImages = await writeBadImages(folder);
    const expected = await embedAlone();
    const pick = random(seed);
    const counts = {
      images: 0,
      badImages: 0,
      texts: 0,
      errors: 0,
      rounds: 0,
      models: 0,
      sameBits: 0,
      rows: 0,
    };
    const rss: number[] = [];
    const files: number[] = [];
    const tensors = memory().numTensors;

    /** Compares rows with those that were computed alone, and disposes them. */
    const check = async (features: Tensor2D, names: readonly string[]): Promise<void> => {
      const rows = (await features.array()).map((row) => Float32Array.from(row));
      features.dispose();
      assert.equal(rows.length, names.length);
      for (const [i, name] of names.entries()) {
        const alone = expected.get(name)!;
        const { relativeL2 } = compare(rows[i]!, alone);
        assert.ok(relativeL2 < 1e-5, `${name}: ${relativeL2}`);
        counts.rows += 1;
        if (relativeL2 === 0) counts.sameBits += 1;
      }
    };

    const fails = async (run: Promise<unknown>, isExpected: (error: unknown) => boolean): Promise<void> => {
      await assert.rejects(run, (error: unknown) => {
        if (!isExpected(error)) throw error;
        return true;
      });
      counts.errors += 1;
    };
    const isInjected = (error: unknown): boolean => error instanceof InjectedError;

    const someTexts = (): string[] => Array.from({ length: 1 + pick(400) }, () => texts[pick(texts.length)]!);
    const someImages = (): string[] =>
      Array.from({ length: 1 + pick(90) }, () =>
        pick(12) === 0 ? badImages[pick(badImages.length)]! : goodImages[pick(goodImages.length)]!,
      );
    // Mostly without threads: each takes longer to start than a few small images take to read.
    const imageOptions = (): { batchSize: number; workers: number } => ({
      batchSize: 1 + pick(16),
      workers: Math.max(0, pick(6) - 3),
    });

    const jobs: readonly ((model: Clip) => Promise<void>)[] = [
      async function images(model) {
        const list = someImages();
        const seen: number[] = [];
        const onError = (error: InputError, _: string, index: number): void => {
          assert.ok(badImages.includes(list[index]!), error.message);
          counts.badImages += 1;
          seen.push(index);
        };
        for await (const { features, paths, indices } of embedImages(model, list, {
          ...imageOptions(),
          onError,
        })) {
          assert.deepEqual(
            paths,
            indices.map((index) => list[index]),
          );
          seen.push(...indices);
          counts.images += paths.length;
          await check(features, paths);
        }
        assert.deepEqual(
          seen.sort((a, b) => a - b),
          [...list.keys()],
        );
      },
      async function encodesTexts(model) {
        const list = someTexts();
        await check(await model.encodeText(list, { batchSize: 1 + pick(40) }), list);
        counts.texts += list.length;
      },
      async function stopsEarly(model) {
        for await (const { features, paths } of embedImages(model, goodImages, imageOptions())) {
          counts.images += paths.length;
          await check(features, paths);
          break;
        }
      },
      async function meetsBadImage(model) {
        const list = [...goodImages.slice(0, pick(8)), badImages[pick(badImages.length)]!, ...goodImages];
        const run = async (): Promise<void> => {
          for await (const { features, paths } of embedImages(model, list, imageOptions()))
            await check(features, paths);
        };
        await fails(run(), (error) => error instanceof InputError);
      },
      async function callbackThrows(model) {
        const onProgress = (): void => {
          throw new InjectedError();
        };
        const run = async (): Promise<void> => {
          for await (const { features, paths } of embedImages(model, goodImages, {
            ...imageOptions(),
            onProgress,
          }))
            await check(features, paths);
        };
        await fails(run(), isInjected);
      },
      async function sinkFails(model) {
        let before = pick(40); // a pass has more taps
        const isAsync = pick(2) === 0;
        const sink = (): unknown => {
          if (before-- > 0) return undefined;
          if (isAsync) return sleep(pick(3)).then(() => Promise.reject(new InjectedError()));
          throw new InjectedError();
        };
        await fails(
          withTaps(sink, () => model.encodeText(someTexts())),
          isInjected,
        );
      },
      async function sinkReads(model) {
        let numbers = 0;
        const list = someTexts();
        const features = await withTaps(
          async (_, value) => {
            numbers += (await readTap(value)).length;
          },
          () => model.encodeText(list),
        );
        await check(features, list);
        counts.texts += list.length;
        assert.ok(numbers > 1000);
      },
      async function patchMisfits(model) {
        const patch = (name: string): Tensor2D | null => (name === "text.proj" ? zeros([1, 2]) : null);
        await fails(
          withTaps(
            () => undefined,
            () => model.encodeText(someTexts()),
            patch,
          ),
          (error) => error instanceof InputError && error.message.includes('the patch of "text.proj"'),
        );
      },
      async function aborted(model) {
        const controller = new AbortController();
        const reason = new InjectedError();
        const wait = pick(4);
        if (wait === 0) controller.abort(reason);
        else
          setTimeout(() => {
            controller.abort(reason);
          }, wait * 3);
        const list = someTexts();
        const { signal } = controller;
        await model.encodeText(list, { batchSize: 4, signal }).then(
          (features) => check(features, list),
          (error: unknown) => {
            if (error !== reason) throw error;
            counts.errors += 1;
          },
        );
      },
      async function classifies(model) {
        const classifier = await zeroShotClassifier(model, labels);
        try {
          const path = samples.find((sample) => sample.includes("two-red-circles"))!;
          const features = await embedImage(model, path);
          const [scores = []] = await classifier.scores(features);
          assert.equal(scores[0]!.label, "red circles");
          counts.images += 1;
          counts.texts += labels.length;
          await check(features, [path]);
        } finally {
          classifier.dispose();
        }
      },
    ];

    const start = performance.now();
    const isDone = (): boolean =>
      wantedItems > 0
        ? counts.images + counts.badImages + counts.texts >= wantedItems
        : performance.now() - start > seconds * 1000;
    while (!isDone()) {
      const models = await Promise.all(
        Array.from({ length: 1 + pick(2) }, (_, i) =>
          loadModel(demoModel, { residency: (counts.rounds + i) % 2 === 0 ? "resident" : "streamed" }),
        ),
      );
      const disposedEarly = pick(3) === 0 ? models[0] : undefined;
      const runs = models.flatMap((model) =>
        Array.from({ length: 2 + pick(4) }, async () => {
          const run = jobs[pick(3) === 0 ? pick(jobs.length) : pick(2)]!(model);
          await (model === disposedEarly ? run.catch(unlessDisposed) : run);
        }),
      );
      const finished = Promise.all(runs);
      finished.catch(() => undefined); // reported below, after the disposal
      if (disposedEarly !== undefined) {
        await sleep(pick(40));
        await disposedEarly.dispose();
      }
      await finished;
      for (const model of models) {
        await model.dispose();
        await assert.rejects(model.encodeText(["a"]), /the model is disposed/);
      }
      counts.models += models.length;
      counts.rounds += 1;
      assert.equal(memory().numTensors, tensors, `tensors after round ${counts.rounds}, seed ${seed}`);
      rss.push(process.memoryUsage.rss());
      files.push(openFiles());
      if (counts.rounds % 50 === 0) report(counts, rss, start);
    }
    report(counts, rss, start);
    assert.ok(growth(files) <= 2, `the number of open files grew by ${growth(files)}`);
    assert.ok(growth(rss) < 100e6, `the memory of the process grew by ${Math.round(growth(rss) / 1e6)} MB`);
  });
});

/** Files that cannot be read as images. */
async function writeBadImages(folder: string): Promise<string[]> {
  const jpeg = await readFile(fixture("images/jpeg-420.jpg"));
  const bad: Record<string, Uint8Array | string> = {
    "text.png": "not an image",
    "empty.jpg": "",
    "cut.jpg": jpeg.subarray(0, 300),
  };
  for (const [name, bytes] of Object.entries(bad)) writeFileSync(join(folder, name), bytes);
  return [...Object.keys(bad), "missing.png"].map((name) => join(folder, name));
}

/** The embedding of every image and text, one at a time. */
async function embedAlone(): Promise<ReadonlyMap<string, Float32Array>> {
  const model = await loadModel(demoModel, { residency: "resident" });
  const embeddings = new Map<string, Float32Array>();
  const keepNumbers = async (name: string, features: Tensor2D): Promise<void> => {
    embeddings.set(name, (await features.data<"float32">()).slice());
    features.dispose();
  };
  for (const path of goodImages) await keepNumbers(path, await embedImage(model, path));
  for (const text of texts) await keepNumbers(text, await model.encodeText([text]));
  await model.dispose();
  return embeddings;
}

function unlessDisposed(error: unknown): void {
  if (!(error instanceof InputError && error.message.includes("the model is disposed"))) throw error;
}

/** Whole numbers below a limit: mulberry32, the same for the same seed. */
function random(start: number): (limit: number) => number {
  let state = start;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

function openFiles(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** From the second fifth to the last. The first one fills pools: the heap of wasm, compiled code, free memory of threads. */
function growth(values: readonly number[]): number {
  const fifth = Math.ceil(values.length / 5);
  return median(values.slice(-fifth)) - median(values.slice(fifth, 2 * fifth));
}

function report(counts: object, rss: readonly number[], start: number): void {
  const megabytes = (bytes: number): number => Math.round(bytes / 1e6);
  const elapsed = Math.round((performance.now() - start) / 1000);
  const first = rss.slice(0, 20);
  console.log(
    `    ${elapsed} s ${JSON.stringify(counts)} RSS in MB: first 20 rounds ${megabytes(median(first))}, ` +
      `last 20 ${megabytes(median(rss.slice(-20)))}, largest ${megabytes(rss.reduce((a, b) => Math.max(a, b), 0))}; ` +
      `heap ${megabytes(process.memoryUsage().heapUsed)}, open files ${openFiles()}`,
  );
}
