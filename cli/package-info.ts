/** Fields of package.json. */
import { readFileSync } from "node:fs";

interface PackageInfo {
  readonly version: string;
  readonly description: string;
}

export function packageInfo(): PackageInfo {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as PackageInfo;
}
