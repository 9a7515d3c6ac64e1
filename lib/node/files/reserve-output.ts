/** Reservations of output files: while one process works on an output, another one is refused. */
import { InputError } from "../../errors/input-error.ts";
import { describeHolder, takeLock } from "./lock.ts";
import { placeFor } from "./output-path.ts";

/** An output file that no other process may write until the reservation is released. */
export interface Reservation {
  /** The path as given, for messages. */
  readonly path: string;
  /** The path with links resolved. */
  readonly place: string;
  readonly release: () => Promise<void>;
}

/** An output file: a path, or a reservation of one. */
export type Output = string | Reservation;

/**
 * Reserves an output file.
 *
 * @param inputs as for `placeFor`
 * @throws InputError as `placeFor`, and if another process has reserved it
 */
export async function reserveOutput(
  path: string,
  inputs: readonly (string | undefined)[] = [],
): Promise<Reservation> {
  const place = await placeFor(path, inputs);
  return { path, place, release: await lockOrRefuse(place, path) };
}

/** Reserves several output files, or none. @throws InputError as `reserveOutput` */
export async function reserveOutputs(
  paths: readonly string[],
  inputs: readonly (string | undefined)[] = [],
): Promise<Reservation[]> {
  const reserved: Reservation[] = [];
  try {
    for (const path of paths) reserved.push(await reserveOutput(path, inputs));
    return reserved;
  } catch (error) {
    for (const output of reserved) await output.release();
    throw error;
  }
}

/** Reserves an output while `use` runs. @throws InputError as `reserveOutput` */
export async function withOutput<T>(
  path: string,
  inputs: readonly (string | undefined)[],
  use: (output: Reservation) => Promise<T>,
): Promise<T> {
  const output = await reserveOutput(path, inputs);
  try {
    return await use(output);
  } finally {
    await output.release();
  }
}

/**
 * Locks a file or folder at once.
 *
 * @param name the path as given, for the message
 * @returns a function that releases the lock
 * @throws InputError if another process holds it
 */
export async function lockOrRefuse(place: string, name: string): Promise<() => Promise<void>> {
  // The longest of the names that are derived from an output's, so that a name too long is refused at once.
  const path = `${place}.clipscope.lock`;
  const lock = await takeLock(path, name);
  if ("release" in lock) return lock.release;
  const way = lock.isCertain ? "write to another path" : `delete ${path} if it no longer runs`;
  throw new InputError(`${name}: in use by ${describeHolder(lock.heldBy)}; wait until it ends, or ${way}`);
}
