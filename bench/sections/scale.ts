/**
 * The peak memory of commands over 1,000 and over 10,000 images, each a process of its own with the demo model. A command
 * that holds something of each image shows in the difference.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { manyImages } from "../../spec/support/many-images.ts";
import type { Context } from "../context.ts";
import { packageRoot } from "../result.ts";
import { removeAtExit } from "../scratch.ts";
import type { Row, Table } from "../table.ts";
import { nodeProcess } from "../whole-process.ts";

const counts = [1_000, 10_000] as const;
const classes = 10;
const image = join(demoModel, "samples/two-red-circles.png");
const program = join(packageRoot, "bin/clipscope.js");

/** Images in folders of classes, and what the commands write and read again. */
interface Files {
  readonly album: string;
  readonly features: string;
  readonly probe: string;
  readonly out: string;
}

/** In this order: the features and the probe of one command are read by later ones. */
const commands: Readonly<Record<string, (files: Files) => readonly string[]>> = {
  classify: ({ album }) => ["classify", album, "--labels", "red,blue,green"],
  embed: ({ album, features }) => ["embed", "--images", album, "--out", features],
  search: ({ album }) => ["search", "a red circle", album],
  "search --features": ({ features }) => ["search", "a red circle", "--features", features],
  "probe fit": ({ features, probe }) => ["probe", "fit", "--features", features, "--out", probe],
  "probe eval": ({ features, probe }) => ["probe", "eval", "--probe", probe, "--features", features],
  "probe predict": ({ album, probe, out }) => ["probe", "predict", album, "--probe", probe, "--out", out],
  "probe layers": ({ album, out }) => [
    ...["probe", "layers", "--train", album, "--test-fraction", "0.1", "--max-iterations", "1"],
    ...["--out", `${out}-layers`],
  ],
};

export const scaleCommands = Object.keys(commands);

export async function measureScale({ options, programs, showStatus }: Context): Promise<Table[]> {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-bench-"));
  removeAtExit(folder);
  const albums = counts.map((count) => manyImages(folder, image, count, classes));
  const rows: Row[] = [];
  for (const backend of options.backend) {
    const { name, description } = await startNodeBackend(backend);
    programs.set(`clipscope, ${name}`, description);
    for (const [what, argsFor] of Object.entries(commands)) {
      const runs = albums.map((album, at) => {
        showStatus(`scale on ${name}: ${what}, ${counts[at]} images`);
        const [features, probe, out] = ["features", "probe", "out"].map((file) => `${album}-${name}-${file}`);
        const args = argsFor({ album, features: features!, probe: probe!, out: out! });
        return nodeProcess(program, ...args, "--model", demoModel, "--backend", name);
      });
      const [few, many] = runs.map(({ peak }) => peak / 1e6);
      rows.push({
        program: `clipscope, ${name}`,
        command: what,
        few: few!,
        many: many!,
        growth: many! - few!,
        seconds: runs[1]!.seconds,
      });
    }
  }
  return [
    {
      id: "scale",
      title: "peak memory of commands by the number of images, demo model",
      columns: [
        { key: "program", title: "program" },
        { key: "command", title: "command" },
        { key: "few", title: `MB, ${counts[0]} images` },
        { key: "many", title: `MB, ${counts[1]} images` },
        { key: "growth", title: "difference" },
        { key: "seconds", title: `s, ${counts[1]} images` },
      ],
      rows,
      legend: "MB: peak of the whole process; repeated runs differ by up to 30 MB",
    },
  ];
}
