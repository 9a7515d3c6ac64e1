/** `clipscope index verify`: checks files, or vectors against images. */
import type { Command } from "commander";
import { InputError } from "../../../lib/errors/input-error.ts";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import { verifyIndex } from "../../../lib/node/retrieval/verify-index.ts";
import {
  imagesById,
  reachableImages,
  verifySample,
  type SampledRow,
} from "../../../lib/node/retrieval/verify-sample.ts";
import { examples, positiveInteger } from "../../options/option-values.ts";
import { weightsOption, withModel, type ModelOptions } from "../../options/with-model.ts";
import { printable } from "../../terminal/format.ts";
import { layOutTable } from "../../terminal/table.ts";
import type { Terminal } from "../../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly sample?: number;
  readonly images?: string;
  readonly least: number;
}

export function register(index: Command, terminal: Terminal): void {
  index
    .command("verify")
    .description(
      "Check every file of an index: sizes, digests, rows, and that vectors are finite and of unit length. With " +
        "--sample or --images, embed images again instead and compare them with their rows: adopted embeddings are of " +
        "the model in use if their cosines are near 1.",
    )
    .argument("<dir>", "index folder, or with --sample or --images a folder of clip-retrieval")
    .option("--sample <n>", "compare N rows whose images are where the metadata say", positiveInteger)
    .option("--images <dir>", "compare the rows whose images are in this folder, named by id (123.jpg)")
    .option("--least <cosine>", "with --sample or --images: the least cosine that passes", Number, 0.95)
    .addOption(weightsOption())
    .addHelpText(
      "after",
      examples(
        "clipscope index verify photos-index",
        "clipscope index verify photos-index --sample 10",
        "clipscope index verify laion-index --images ten-downloads/",
      ),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<Options>();
      if (options.sample === undefined && options.images === undefined)
        await verifyFiles(folder, options, terminal);
      else await verifyVectors(folder, options, terminal);
    });
}

async function verifyFiles(folder: string, { json = false }: Options, terminal: Terminal): Promise<void> {
  const report = await terminal.progress((show) =>
    verifyIndex(folder, (done, total) => {
      show({ done, total, unit: "partitions" });
    }),
  );
  const { partitions, rows, problems } = report;
  if (problems.length > 0) terminal.fail();
  if (json) terminal.printJson({ passed: problems.length === 0, ...report });
  else {
    terminal.printLines(
      problems.map(({ partition, problem }) => `partition ${partition}: ${printable(problem)}`),
    );
    const found = problems.length === 0 ? "no problems" : `${problems.length} problems`;
    terminal.print(`${printable(folder)}: ${partitions} partitions, ${rows} rows, ${found}`);
  }
}

async function verifyVectors(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { sample = 10, images: given, least, json = false } = options;
  if (!(least > -1 && least <= 1)) throw new InputError("--least: expected a cosine, such as 0.95");
  const index = await openIndex(folder);
  try {
    const images = given === undefined ? await reachableImages(index, sample) : await imagesById(given);
    if (images.size === 0) {
      throw new InputError(
        `${folder}: none of the images of its rows are reachable; download some, name each after its row's id (123.jpg), and give their folder with --images`,
      );
    }
    const rows = await withModel(options, terminal, (model) => verifySample(index, images, model));
    const passed = rows.every(({ cosine }) => cosine >= least);
    if (!passed) terminal.fail();
    if (json) terminal.printJson({ passed, rows });
    else terminal.printLines(linesOf(rows, passed, least));
  } finally {
    await index.close();
  }
}

function linesOf(rows: readonly SampledRow[], passed: boolean, least: number): string[] {
  const table = layOutTable(
    ["row", "cosine", "nearest other"].map((title) => ({ title, align: "right" as const })),
    rows.map(({ id, cosine, other }) => [
      `${id}`,
      cosine.toFixed(4),
      other === null ? "–" : other.toFixed(4),
    ]),
  );
  const verdict = passed
    ? `all ${rows.length} cosines are at least ${least}: the vectors are of the model in use`
    : `some cosines are below ${least}: the images, their preprocessing or the model differ`;
  return [table.head, ...table.rows, verdict];
}
