/**
 * Fills a page of docs/results with the figures of result files, so that no figure there is typed by hand.
 *
 *     node dist/bench/report.js RESULT.json…                  # performance.md
 *     node dist/bench/report.js retrieval.md RESULT.json…
 *
 * Where several results have a table, the last one counts. The summary goes between `<!-- bench:summary -->` and
 * `<!-- /bench -->`, a table by its id between `<!-- bench:table ID -->` and `<!-- /bench -->`, the commands, machines and
 * program versions between `<!-- bench:runs -->` and `<!-- /bench -->`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format, resolveConfig } from "prettier";
import { InputError } from "../lib/errors/input-error.ts";
import { machineLine } from "./machine.ts";
import { packageRoot, readResult, type Result } from "./result.ts";
import { summaryTable } from "./summary.ts";
import { markdownTable } from "./table.ts";

const place = /(<!-- bench:([\w -]+?) -->\n).*?(<!-- \/bench -->)/gs;

/**
 * The page with the results' figures.
 *
 * @throws InputError if the page has an unknown marker, or the results lack a measurement
 */
export async function fillIn(markdown: string, results: readonly Result[]): Promise<string> {
  const page = markdown.replaceAll(place, (_, start: string, name: string, end: string) => {
    return `${start}\n${content(name, results)}\n${end}`;
  });
  const config = await resolveConfig(join(packageRoot, "docs/results/performance.md"));
  return format(page, { ...config, parser: "markdown" });
}

function content(name: string, results: readonly Result[]): string {
  if (name === "summary") return markdownTable(summaryTable(results));
  if (name === "runs") return results.map(runText).join("");
  const id = /^table ([\w-]+)$/.exec(name)?.[1];
  if (id === undefined) {
    throw new InputError(
      `unknown marker "bench:${name}", expected bench:summary, bench:table ID or bench:runs`,
    );
  }
  const table = results.flatMap(({ tables }) => tables).findLast((one) => one.id === id);
  if (table === undefined) throw new InputError(`the table ${id} is in none of the result files`);
  return markdownTable(table);
}

function runText({ machine, arguments: args, programs }: Result): string {
  // Paths are of no use on other machines.
  const options = args.join(" ").replace(/(--(?:python|modules|model))[ =]\S+/g, "$1 …");
  const versions = Object.entries(programs).map(([name, version]) => `${name}: ${version}`);
  const ran = versions.length === 0 ? "" : ` ${versions.join("; ")}.`;
  return `- \`npm run bench -- ${options}\` on ${machineLine(machine)}.${ran}\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    const given = process.argv.slice(2);
    const isPage = given[0]?.endsWith(".md") === true;
    const paths = given.slice(isPage ? 1 : 0);
    if (paths.length === 0) throw new InputError("usage: node dist/bench/report.js [PAGE.md] RESULT.json…");
    const page = join(packageRoot, "docs/results", isPage ? given[0]! : "performance.md");
    writeFileSync(page, await fillIn(readFileSync(page, "utf8"), paths.map(readResult)));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(`report: ${error.message}`);
    for (const detail of error.details) console.error(`  ${detail}`);
    process.exitCode = 2;
  }
}
