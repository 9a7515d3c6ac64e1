/** Photographs from files to pixels, and what the steps of it take. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { decodeImage } from "../../lib/image/decode.ts";
import type { DecodedImage } from "../../lib/image/image.ts";
import { transform } from "../../lib/image/transform.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { imageLoader } from "../../lib/node/images/image-loader.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { pillow, startPeers, stopAll, type Field } from "../field.ts";
import { inTurn, timed, type Measured, type Runner } from "../rounds.ts";
import type { Column, Row, Table } from "../table.ts";

type Timed = Runner<{ seconds: number }>;

/** Images in one run. */
const count = 100;

export async function measurePreprocessing(field: Field): Promise<Table[]> {
  const folder = join(demoModel, "samples");
  const names = readdirSync(folder);
  const [photograph, picture] = await Promise.all(
    [".jpg", ".png"].map((ending) =>
      openSample(
        join(
          folder,
          names.find((name) => name.endsWith(ending))!,
        ),
      ),
    ),
  );
  field.note("preprocessing");
  const contenders = await startPeers(field, [pillow(field)]);
  try {
    const whole: Timed[] = [
      ours(field, "clipscope, one thread", photograph!, 0),
      ours(field, "clipscope", photograph!),
      ...sharpRunner(field, photograph!),
      ...contenders.map((contender) => ({
        name: contender.name,
        run: () => contender.ask({ kind: "preprocess", path: photograph!.path, count }),
      })),
    ];
    const steps = [photograph!, picture!].flatMap((sample) => stepRunners(field, sample));
    return [
      {
        id: "preprocess",
        title: `${photograph!.title} from file to pixels, in turn`,
        columns,
        rows: await rowsOf(field, whole),
      },
      {
        id: "preprocess-steps",
        title: "the steps of it, one thread",
        columns: columns.filter(({ key }) => key !== "ratio"),
        rows: await rowsOf(field, steps),
      },
    ];
  } finally {
    await stopAll(contenders);
  }
}

interface Sample {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly image: DecodedImage;
  /** "JPEG 640 × 480" */
  readonly title: string;
}

const codecs = nodeCodecs();

async function openSample(path: string): Promise<Sample> {
  const bytes = readFileSync(path);
  const image = await decodeImage(bytes, path, codecs);
  const title = `${path.endsWith(".jpg") ? "JPEG" : "PNG"} ${image.width} × ${image.height}`;
  return { path, bytes, image, title };
}

const columns: readonly Column[] = [
  { key: "what", title: "program" },
  { key: "perSecond", title: "images/s" },
  { key: "milliseconds", title: "ms an image" },
  { key: "ratio", title: "first row ×" },
];

async function rowsOf({ options }: Field, runners: readonly Timed[]): Promise<Row[]> {
  const measured: Measured<unknown>[] = await inTurn(runners, { ...options, atLeast: 2 });
  return measured.map(({ seconds }, at) => ({
    what: runners[at]!.name,
    perSecond: count / seconds,
    milliseconds: (1000 * seconds) / count,
    ratio: at === 0 ? null : seconds / measured[0]!.seconds,
  }));
}

function ours({ model }: Field, name: string, { path }: Sample, workers?: number): Timed {
  const loader = imageLoader({ config: model.preprocess, ...(workers === undefined ? {} : { workers }) });
  const paths = Array<string>(count).fill(path);
  return {
    name,
    run: () =>
      timed(async () => {
        for await (const loaded of loader.load(paths)) if ("error" in loaded) throw loaded.error;
      }),
  };
}

function stepRunners({ model }: Field, { path, bytes, image, title }: Sample): Timed[] {
  return [
    { name: `decode ${title}`, run: () => many(() => decodeImage(bytes, path, codecs)) },
    { name: `resize, crop, normalise ${title}`, run: () => many(() => transform(image, model.preprocess)) },
  ];
}

function many(step: () => unknown): Promise<{ seconds: number }> {
  return timed(async () => {
    for (let i = 0; i < count; i++) await step();
  });
}

/** What we use of sharp. */
interface Sharp {
  (path: string): SharpImage;
  readonly versions: Readonly<Record<string, string>>;
}

interface SharpImage {
  resize(width: number, height: number, options: object): SharpImage;
  removeAlpha(): SharpImage;
  raw(): { toBuffer(): Promise<Uint8Array> };
}

/** sharp with its own threads, one image after another, and the normalisation in JavaScript. */
function sharpRunner({ options, model, programs, say }: Field, { path }: Sample): Timed[] {
  if (!options.peers) return [];
  const require = createRequire(join(resolve(options.modules), "any.js"));
  let sharp: Sharp;
  try {
    sharp = require("sharp") as Sharp;
    programs.set("sharp", sharp.versions["sharp"]!);
  } catch {
    say("sharp: not found; npm install sharp in some folder, and name that with --modules");
    return [];
  }
  const { size, mean, std } = model.preprocess;
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
  return [
    {
      name: "sharp",
      run: () => many(prepare),
    },
  ];
}
