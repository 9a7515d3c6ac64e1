/** JSON files of model directories. */
import { JsonValue } from "../../json/json-value.ts";
import { exists } from "../files/exists.ts";
import { readWhole } from "../files/file-source.ts";

/** In bytes; an index of a model's shards has about 100 bytes per tensor. */
const largestJson = 2 ** 26;

/** @throws InputError if the file cannot be read or is not valid JSON */
export async function readJson(path: string): Promise<JsonValue> {
  return JsonValue.parse(await readWhole(path, largestJson), path);
}

/** As `readJson`; undefined if the file does not exist. */
export async function readJsonIfThere(path: string): Promise<JsonValue | undefined> {
  return (await exists(path)) ? readJson(path) : undefined;
}
