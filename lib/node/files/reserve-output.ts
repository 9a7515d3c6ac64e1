/** Reservations of output files: while one process works on an output, another one is refused. */
import { InputError } from "../../errors/input-error.ts";
import { describeHolder, takeLock } from "./lock.ts";
import { placeFor } from "./output-path.ts";
import { removeOnSignal } from "./remove-on-signal.ts";

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
  return { path, place, release: await lockOrRefuse(`${place}.lock`, path) };
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
 * Takes a lock at once. A signal that ends the process releases it.
 *
 * @param name what is locked, for the message
 * @returns a function that releases the lock
 * @throws InputError if another process holds it
 */
export async function lockOrRefuse(lockPath: string, name: string): Promise<() => Promise<void>> {
  const lock = await takeLock(lockPath);
  if ("release" in lock) {
    const keep = lock.files.map((file) => removeOnSignal(file));
    return async () => {
      await lock.release();
      for (const revoke of keep) revoke();
    };
  }
  throw new InputError(
    `${name}: in use by ${describeHolder(lock.heldBy)}; wait until it ends, or write to another path`,
  );
}
