import { readFileSync } from "node:fs";
import { fixture } from "./paths.ts";

/** The rows of a committed table: one JSON document per line. The first line says how the table was made. */
export function readTable<Row>(path: string): Row[] {
  const lines = readFileSync(fixture(path), "utf8").split("\n").slice(1, -1);
  return lines.map((line) => JSON.parse(line) as Row);
}
