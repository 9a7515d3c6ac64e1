/** `clipscope eval report`: results as a CSV file and a page. */
import { join } from "node:path";
import type { Command } from "commander";
import { benchmarkCsv } from "../../lib/eval/report/csv.ts";
import { shownImages } from "../../lib/eval/report/details-section.ts";
import { reportPage } from "../../lib/eval/report/page.ts";
import { publishedFigures } from "../../lib/node/eval/published-figures.ts";
import { readResults } from "../../lib/node/eval/read-results.ts";
import { thumbnailsOf } from "../../lib/node/eval/thumbnails.ts";
import { writeTogether } from "../../lib/node/files/write-file.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { compareOption, toleranceOption } from "../options/eval-options.ts";
import { examples } from "../options/option-values.ts";
import { printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options {
  readonly csv?: string;
  readonly html?: string;
  readonly images?: string;
  readonly compare?: string;
  readonly tolerance?: number;
  readonly json?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("report")
    .description(
      "Write the results in a folder as CLIP_benchmark's CSV file, and as one page of HTML with charts.\n" +
        "The page shows figures beside published ones, languages, confusions, the worst classes, and the worst " +
        "retrievals with their images. Results of CLIP_benchmark itself are read too.",
    )
    .argument("<folder>", "what eval --out wrote")
    .option("--csv <file>", "CSV file (default: benchmark.csv in the folder)")
    .option("--html <file>", "page (default: report.html in the folder)")
    .option(
      "--images <dir>",
      "folder of the images, if they are not where they were when the results were made",
    )
    .addOption(compareOption())
    .addOption(toleranceOption())
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      "after",
      examples(
        "clipscope eval report results",
        "clipscope eval report results --html page.html --images data/flickr30k/images",
      ),
    )
    .action(async (folder: string, _options: unknown, self: Command) => {
      refuseOthers(self);
      await report(folder, self.optsWithGlobals(), terminal);
    });
}

/** The parser accepts the options of `eval` here too, most of which would be ignored. */
function refuseOthers(command: Command): void {
  const { parent } = command;
  const other = parent?.options.find(
    (option) =>
      !command.options.some(({ long }) => long === option.long) &&
      parent.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (other !== undefined) throw new InputError(`eval report has no option ${other.long}`);
}

async function report(folder: string, options: Options, terminal: Terminal): Promise<void> {
  const { csv = join(folder, "benchmark.csv"), html = join(folder, "report.html"), images } = options;
  const results = await readResults(folder, await publishedFigures(options.compare), options.tolerance);
  const thumbnails = await thumbnailsOf(shownImages(results), images);
  const table = benchmarkCsv(results.map(({ record }) => record));
  const page = await reportPage(results, thumbnails);
  await writeTogether([csv, html], async ([csvFile, htmlFile]) => {
    await csvFile!.write(Buffer.from(table));
    await htmlFile!.write(Buffer.from(page));
  });
  if (options.json === true) terminal.printJson({ results: results.length, csv, html });
  else {
    const count = `${results.length} ${results.length === 1 ? "result" : "results"}`;
    terminal.printLines([`${count}: ${printable(csv)}, ${printable(html)}`]);
  }
}
