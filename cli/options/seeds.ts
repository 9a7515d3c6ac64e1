/** Files of several seeds: `{seed}` in a path is replaced by each. */
import { InputError } from "../../lib/errors/input-error.ts";

export interface SeededPath {
  readonly seed: number;
  readonly path: string;
}

/**
 * @param option the option that has the path, for messages
 * @throws InputError if there are several seeds and the path does not contain `{seed}`
 */
export function seededPaths(option: string, path: string, seeds: number, first = 0): SeededPath[] {
  if (seeds > 1 && !path.includes("{seed}")) {
    throw new InputError(
      `${option} ${path}: expected {seed} in the name, where ${seeds} seeds have a file each`,
    );
  }
  return Array.from({ length: seeds }, (_, i) => ({
    seed: first + i,
    path: path.replaceAll("{seed}", `${first + i}`),
  }));
}
