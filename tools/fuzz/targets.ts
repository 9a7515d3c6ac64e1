/** The targets by name. Each is a file in `targets`. */
import { readdirSync } from "node:fs";
import type { CreateTarget, Target } from "./target.ts";

export const targetNames: readonly string[] = readdirSync(new URL("./targets/", import.meta.url))
  .filter((file) => file.endsWith(".js"))
  .map((file) => file.slice(0, -".js".length))
  .sort();

/** Loads a target. @param folder an existing temporary folder */
export async function createTarget(name: string, folder: string): Promise<Target> {
  const module = (await import(`./targets/${name}.js`)) as { readonly create: CreateTarget };
  return module.create(folder);
}
