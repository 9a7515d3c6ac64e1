/** Image files to pixels, as a whole and by step. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parsePreprocessConfig } from "../../lib/clip/config/preprocess-config.ts";
import { decodeImage, type ImageCodecs } from "../../lib/image/decode.ts";
import type { DecodedImage } from "../../lib/image/image.ts";
import { preprocessImage } from "../../lib/image/preprocess.ts";
import { transform } from "../../lib/image/transform.ts";
import { wasmCodecs, withSharp } from "../../lib/node/images/codecs.ts";
import { imageLoader } from "../../lib/node/images/image-loader.ts";
import { loadSharp } from "../../lib/node/images/sharp-decoder.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { pillow, startPeers, stopAll, type Context } from "../context.ts";
import { inTurn, timed, type Measured, type Runner } from "../rounds.ts";
import type { Column, Row, Table } from "../table.ts";

interface Timed extends Runner<{ seconds: number }> {
  readonly variant: string | null;
}

/** As the published models preprocess. */
const config = parsePreprocessConfig({}, 224, "the benchmark");

/** Images in one run. */
const count = 100;

export async function measurePreprocessing(context: Context): Promise<Table[]> {
  const folder = join(demoModel, "samples");
  const names = readdirSync(folder);
  const [jpeg, png] = await Promise.all(
    [".jpg", ".png"].map((ending) =>
      openSample(
        join(
          folder,
          names.find((name) => name.endsWith(ending))!,
        ),
      ),
    ),
  );
  context.showStatus("preprocessing");
  const participants = await startPeers(context, [pillow(context, config.size[0])]);
  try {
    const whole: Timed[] = [
      oneThread("one thread", jpeg!, wasmCodecs()),
      ...(await withSharpDecoder(context, jpeg!)),
      allThreads(jpeg!),
      ...(await sharpRunner(context, jpeg!)),
      ...participants.map((participant) => ({
        name: participant.name,
        variant: null,
        run: () => participant.ask({ kind: "preprocess", path: jpeg!.path, count }),
      })),
    ];
    const steps = [jpeg!, png!].flatMap((sample) => stepRunners(sample));
    return [
      {
        id: "preprocess",
        title: `${jpeg!.title} to pixels`,
        columns,
        rows: await rowsOf(context, whole),
      },
      {
        id: "preprocess-steps",
        title: "steps of preprocessing, one thread",
        columns: columns.filter(({ key }) => key !== "ratio"),
        rows: await rowsOf(context, steps),
      },
    ];
  } finally {
    await stopAll(participants);
  }
}

interface Sample {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly image: DecodedImage;
  /** "JPEG 640 × 480" */
  readonly title: string;
}

const codecs = wasmCodecs();

async function openSample(path: string): Promise<Sample> {
  const bytes = readFileSync(path);
  const image = await decodeImage(bytes, path, codecs);
  const title = `${path.endsWith(".jpg") ? "JPEG" : "PNG"} ${image.width} × ${image.height}`;
  return { path, bytes, image, title };
}

const columns: readonly Column[] = [
  { key: "program", title: "program" },
  { key: "variant", title: "variant" },
  { key: "perSecond", title: "images/s" },
  { key: "milliseconds", title: "ms per image" },
  { key: "ratio", title: "time ×" },
];

async function rowsOf({ options }: Context, runners: readonly Timed[]): Promise<Row[]> {
  const measured: Measured<unknown>[] = await inTurn(runners, { ...options, atLeast: 2 });
  return measured.map(({ seconds }, at) => ({
    program: runners[at]!.name,
    variant: runners[at]!.variant,
    perSecond: count / seconds,
    milliseconds: (1000 * seconds) / count,
    ratio: at === 0 ? null : seconds / measured[0]!.seconds,
  }));
}

function oneThread(variant: string, { path }: Sample, codecs: ImageCodecs): Timed {
  const preprocess = preprocessImage(config, codecs);
  return {
    name: "clipscope",
    variant,
    run: () => many(async () => preprocess(await readFile(path), path)),
  };
}

/** Measured where the optional package is installed. */
async function withSharpDecoder(context: Context, sample: Sample): Promise<Timed[]> {
  const sharp = await loadSharp();
  if (sharp === undefined) {
    context.warn("sharp: not found; npm install sharp");
    return [];
  }
  context.programs.set("sharp", sharp.version);
  return [oneThread("one thread, sharp decodes", sample, withSharp(sharp))];
}

function allThreads({ path }: Sample): Timed {
  const loader = imageLoader({ config });
  const paths = Array<string>(count).fill(path);
  return {
    name: "clipscope",
    variant: null,
    run: () =>
      timed(async () => {
        for await (const loaded of loader.load(paths)) if ("error" in loaded) throw loaded.error;
      }),
  };
}

function stepRunners({ path, bytes, image, title }: Sample): Timed[] {
  return [
    {
      name: "clipscope",
      variant: `decode ${title}`,
      run: () => many(() => decodeImage(bytes, path, codecs)),
    },
    {
      name: "clipscope",
      variant: `resize, crop and normalize ${title}`,
      run: () => many(() => transform(image, config)),
    },
  ];
}

function many(step: () => unknown): Promise<{ seconds: number }> {
  return timed(async () => {
    for (let i = 0; i < count; i++) await step();
  });
}

/** sharp decodes and resizes, one image at a time, and JavaScript normalises. */
async function sharpRunner({ options }: Context, { path }: Sample): Promise<Timed[]> {
  if (!options.peers || (await loadSharp()) === undefined) return [];
  const { default: sharp } = await import("sharp");
  const { size, mean, std } = config;
  const [height, width] = size;
  const prepare = async (): Promise<void> => {
    const resized = sharp(path).resize(width, height, { fit: "cover", kernel: "cubic" });
    const bytes = await resized.removeAlpha().raw().toBuffer();
    const area = height * width;
    const pixels = new Float32Array(3 * area);
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < area; i++) pixels[c * area + i] = (bytes[3 * i + c]! / 255 - mean[c]!) / std[c]!;
    }
  };
  return [{ name: "sharp", variant: null, run: () => many(prepare) }];
}
