/** Committed files as seeds. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { fixture } from "../../spec/support/paths.ts";

export function readFixture(path: string): Uint8Array {
  return new Uint8Array(readFileSync(fixture(path)));
}

/** The files of a fixture folder whose names match and that are not too large, in the order of their names. */
export function readFixtures(folder: string, name: RegExp, maxSize = 16_384): Uint8Array[] {
  return readdirSync(fixture(folder))
    .filter((file) => name.test(file) && statSync(fixture(`${folder}/${file}`)).size <= maxSize)
    .sort()
    .map((file) => readFixture(`${folder}/${file}`));
}

export function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
