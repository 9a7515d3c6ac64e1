import { basename, dirname, resolve } from "node:path";

/**
 * The name of a model: its directory's, or in the hub's cache, where directories are named after commits, its
 * repository's.
 *
 * @param weights the path of the file of weights
 */
export function modelName(weights: string): string {
  const folder = dirname(resolve(weights));
  const [, repository] = /[/\\]models--([^/\\]+)[/\\]snapshots[/\\][0-9a-f]{40}$/.exec(folder) ?? [];
  return repository?.replace("--", "/") ?? basename(folder);
}
