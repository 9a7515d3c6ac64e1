/**
 * Writes the tables of result files into docs/results/performance.md, so that no figure there is typed by hand.
 *
 *     node dist/bench/report.js RESULT.json…
 *
 * Of a table that several have the last one counts. A table goes between `<!-- bench:ID -->` and `<!-- /bench -->`; `bench:machine` is what it was measured on.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "prettier";
import { InputError } from "../lib/errors/input-error.ts";
import { machineLine } from "./machine.ts";
import { packageRoot, readResult, type Result } from "./result.ts";
import { markdownTable } from "./table.ts";

const place = /(<!-- bench:([\w-]+) -->\n).*?(<!-- \/bench -->)/gs;

/** The page with the results' tables. @throws InputError for a place whose table none of them has */
export async function fillIn(markdown: string, results: readonly Result[]): Promise<string> {
  const page = markdown.replaceAll(place, (_, start: string, id: string, end: string) => {
    return `${start}\n${id === "machine" ? results.map(machineText).join("\n") : tableText(results, id)}\n${end}`;
  });
  return format(page, { parser: "markdown" });
}

function tableText(results: readonly Result[], id: string): string {
  const tables = results.flatMap((result) => result.tables);
  const table = tables.findLast((one) => one.id === id);
  if (table === undefined) {
    const found = tables.map((one) => one.id).join(", ");
    throw new InputError(
      `no result has the table "${id}", only ${found}; run all sections ("npm run bench -- --peers")`,
    );
  }
  return `${table.title[0]!.toUpperCase()}${table.title.slice(1)}:\n\n${markdownTable(table)}`;
}

function machineText({ machine, arguments: args, programs }: Result): string {
  // Where things lie on one machine is nobody else's business.
  const options = args.join(" ").replace(/(--(?:python|modules|model))[ =]\S+/g, "$1 …");
  const list = Object.entries(programs).map(([name, version]) => `- ${name}: ${version}\n`);
  return `\`npm run bench -- ${options}\` on ${machineLine(machine)}.\n\n${list.join("")}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    const paths = process.argv.slice(2);
    if (paths.length === 0) throw new InputError("usage: node dist/bench/report.js RESULT.json…");
    const page = join(packageRoot, "docs/results/performance.md");
    writeFileSync(page, await fillIn(readFileSync(page, "utf8"), paths.map(readResult)));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(`report: ${error.message}`);
    process.exitCode = 2;
  }
}
