/** The commands that write files, for specs that disturb them: each with inputs, and with outputs of an earlier run. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HubServer } from "../hub-server.ts";
import { clipscope } from "../cli.ts";
import { withEnvironment } from "../environment.ts";
import { fixture } from "../paths.ts";
import { writePoints } from "../probe-files.ts";
import { fromFixture } from "../pull.ts";

/** A command that writes to a folder. */
export interface Scenario {
  readonly name: string;
  /** Its arguments, given the folder. */
  readonly args: (folder: string) => readonly string[];
  /** Puts outputs of earlier work into the folder. */
  readonly prepare: (folder: string) => void | Promise<void>;
  readonly env?: (folder: string) => Readonly<Record<string, string>>;
  /** Which files an error may leave behind: unfinished work that the next run continues. */
  readonly unfinished?: RegExp;
  /** Whether a file is complete, for a command that writes it in several versions. Content in latin1. */
  readonly isComplete?: (content: string) => boolean;
  /** A kill leaves all files old or all files new. Default: each file is old or new. */
  readonly isAtomic?: boolean;
  /** How many errors it may report, a line for each: of independent parts of the work. Default: one. */
  readonly mostErrors?: number;
  /** How many processes may work at once. Default: one, others are refused. */
  readonly sharesWork?: boolean;
}

const model = ["--model", fixture("tiny/plain"), "--backend", "wasm"];

/** Their names. Mocha needs them before the inputs are made. */
export const scenarioNames = [
  "embed --images",
  "embed --texts",
  "embed with several taps",
  "probe fit",
  "probe fit -C sweep",
  "probe predict --out",
  "probe layers",
  "trace --out",
  "trace --figures",
  "explain",
  "probe eval --figures",
  "verify --html",
  "eval",
  "eval report",
  "convert",
  "convert --force",
  "pull",
] as const;

const resultOfTags = "tags_demo-model_demo-model_en_zeroshot_classification.json";

/** Makes the inputs in a folder. The hub is for `pull`. */
export async function makeScenarios(inputs: string, hub: HubServer): Promise<Scenario[]> {
  const images = join(inputs, "images");
  const samples = [
    "two-red-circles.png",
    "orange-heart.jpg",
    "small-yellow-triangle.png",
    "four-purple-squares.jpg",
  ];
  for (const [i, name] of samples.entries()) {
    const folder = join(images, i % 2 === 0 ? "a" : "b");
    mkdirSync(folder, { recursive: true });
    cpSync(fixture(`demo-model/samples/${name}`), join(folder, name));
  }
  const image = join(images, "a", samples[0]!);
  const few = join(images, "a");
  writeFileSync(join(inputs, "texts"), "a cat\na dog\na heart\ntwo circles\n");
  const points = join(inputs, "points.safetensors");
  await writePoints(points, [0, 1, 0, 1, 0, 1, 0, 1], { classNames: ["a", "b"] });
  const probe = join(inputs, "probe.safetensors");
  await clipscope(["probe", "fit", "--features", points, "--out", probe, "--backend", "wasm"]);

  const config = "open_clip_config.json";
  const weights = "open_clip_model.safetensors";
  const files = fromFixture("tiny/plain", [config, weights]);
  const hubVariables = (folder: string): Record<string, string> => ({
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: folder,
    HF_HUB_CACHE: join(folder, "hub"),
  });

  const cache = join(inputs, "cache");
  hub.add("clipscope/tiny", { ...files, [weights]: new Uint8Array(100_001) });
  await withEnvironment(hubVariables(cache), () => clipscope(["pull", "clipscope/tiny"]));
  hub.add("clipscope/tiny", files);

  const old =
    (...names: string[]) =>
    (folder: string): void => {
      for (const name of names) writeFileSync(join(folder, name), `${name} of an earlier run`);
    };
  const oldModel = (folder: string): void => {
    cpSync(fixture("tiny/plain-quickgelu"), join(folder, "model"), {
      recursive: true,
      filter: isPartOfModel,
    });
  };
  const out = (folder: string, name = "out.safetensors"): string => join(folder, name);

  return [
    {
      name: "embed --images",
      args: (folder) => ["embed", "--images", images, "--batch", "1", "--out", out(folder), ...model],
      prepare: old("out.safetensors"),
      unfinished: /^out\.safetensors\.journal$/,
    },
    {
      name: "embed --texts",
      args: (folder) => [
        "embed",
        "--texts",
        join(inputs, "texts"),
        "--batch",
        "2",
        "--out",
        out(folder),
        "--backend",
        "wasm",
      ],
      prepare: old("out.safetensors"),
      unfinished: /^out\.safetensors\.journal$/,
    },
    {
      name: "embed with several taps",
      args: (folder) => [
        ...["embed", "--images", few, "--batch", "1", "--out", out(folder, "{tap}.safetensors"), ...model],
        ...["visual", "visual.transformer.resblocks.0", "visual.ln_post"].flatMap((tap) => ["--tap", tap]),
      ],
      prepare: old("visual.safetensors", "visual.ln_post.safetensors"),
      unfinished: /^\{tap\}\.safetensors\.journal$/,
    },
    {
      name: "probe fit",
      args: (folder) => ["probe", "fit", "--features", points, "--out", out(folder), "--backend", "wasm"],
      prepare: old("out.safetensors"),
      // The probe is saved as soon as it is fitted, and again with its accuracy.
      isComplete: isProbe,
    },
    {
      name: "probe fit -C sweep",
      args: (folder) => [
        ...["probe", "fit", "--features", points, "--out", out(folder), "--backend", "wasm"],
        ...["-C", "sweep", "--folds", "2"],
      ],
      prepare: old("out.safetensors"),
      isComplete: isProbe,
    },
    {
      name: "probe predict --out",
      args: (folder) => [
        ...["probe", "predict", "--probe", probe, "--features", points],
        ...["--out", out(folder, "out.csv"), "--backend", "wasm"],
      ],
      prepare: old("out.csv"),
    },
    {
      name: "probe layers",
      args: (folder) => [
        ...[
          "probe",
          "layers",
          "--train",
          images,
          "--test",
          images,
          "--out",
          join(folder, "layers"),
          ...model,
        ],
        ...["--batch", "2", "--max-iterations", "20", "--figures", join(folder, "figures")],
      ],
      prepare: () => undefined,
      unfinished: /^(layers|layers\/(train|test|probes)|layers\/.*|figures)$/,
    },
    {
      name: "trace --out",
      args: (folder) => ["trace", "--image", image, "--out", out(folder), ...model],
      prepare: old("out.safetensors"),
    },
    {
      name: "trace --figures",
      args: (folder) => ["trace", "--image", image, "--figures", join(folder, "figures"), ...model],
      prepare: (folder) => {
        mkdirSync(join(folder, "figures"));
        writeFileSync(join(folder, "figures", "patch-filters.png"), "an earlier run's");
      },
    },
    {
      name: "explain",
      args: (folder) => [
        ...["explain", image, "--text", "a cat", "--method", "gradient", "--method", "relevance"],
        ...["--out", join(folder, "maps"), "--backend", "wasm"],
      ],
      prepare: (folder) => {
        mkdirSync(join(folder, "maps"));
        writeFileSync(join(folder, "maps", "relevance.png"), "an earlier run's");
      },
    },
    {
      name: "probe eval --figures",
      args: (folder) => [
        ...["probe", "eval", "--probe", probe, "--features", points, "--json"],
        ...["--figures", join(folder, "figures"), "--backend", "wasm"],
      ],
      prepare: (folder) => {
        mkdirSync(join(folder, "figures"));
        writeFileSync(join(folder, "figures", "confusion.svg"), "an earlier run's");
      },
    },
    {
      name: "verify --html",
      args: (folder) => [
        ...["verify", "--golden", fixture("tiny/plain/golden.safetensors")],
        ...["--html", out(folder, "report.html"), ...model],
      ],
      prepare: old("report.html"),
    },
    {
      name: "eval",
      args: (folder) => [
        ...["eval", "wds/captions", "wds/tags", "--data", fixture("eval/webdatasets"), "--batch", "6"],
        ...["--features", join(folder, "features"), "--out", join(folder, "results"), "--backend", "wasm"],
      ],
      prepare: (folder) => {
        mkdirSync(join(folder, "results"));
        writeFileSync(join(folder, "results", resultOfTags), "{}");
      },
      unfinished: /^(features|results)(\/|$)/,
      mostErrors: 2, // a line for each dataset
    },
    {
      name: "eval report",
      args: (folder) => [
        ...["eval", "report", fixture("eval/clip-benchmark")],
        ...["--csv", out(folder, "results.csv"), "--html", out(folder, "results.html")],
      ],
      prepare: old("results.csv", "results.html"),
    },
    {
      name: "convert",
      args: (folder) => ["convert", fixture("tiny/plain"), join(folder, "model")],
      prepare: () => undefined,
      isAtomic: true,
    },
    {
      name: "convert --force",
      args: (folder) => ["convert", fixture("tiny/plain"), join(folder, "model"), "--force"],
      prepare: oldModel,
      isAtomic: true,
    },
    {
      name: "pull",
      args: () => ["pull", "clipscope/tiny"],
      env: hubVariables,
      prepare: (folder) => {
        cpSync(cache, folder, { recursive: true, verbatimSymlinks: true });
      },
      unfinished: /^hub\b/,
      sharesWork: true,
    },
  ];
}

/** A safetensors file of two classes and two features, of the length that its header states. */
function isProbe(content: string): boolean {
  const bytes = Buffer.from(content, "latin1");
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, end).toString()) as Record<string, unknown>;
  return "weight" in header && "bias" in header && bytes.length === end + 24;
}

function isPartOfModel(path: string): boolean {
  return !/(golden|gradients)\.safetensors$/.test(path);
}
