/**
 * Chooses and starts the tfjs backend. The host (Node, a browser) passes in the loaders that it has, best first; those
 * of Node are in `lib/node/backends/backends.ts`.
 */
import { env, getBackend, ready, setBackend } from "@tensorflow/tfjs-core";

import { InputError } from "../errors/input-error.ts";

/** The backends, in the order in which `auto` tries them. */
export const backendNames = ["tensorflow", "webgpu", "wasm", "cpu"] as const;
/** The name of a backend. */
export type BackendName = (typeof backendNames)[number];
/** A backend, or the first one that works. */
export type BackendChoice = "auto" | BackendName;

/** Whether `auto` may choose a backend. Not webgpu: it cannot read results synchronously, as fits of probes do. */
export function isTriedByAuto(name: BackendName): boolean {
  return name !== "webgpu";
}

/** A backend that has started. */
export interface BackendInfo {
  readonly name: BackendName;
  /** One line: "tensorflow 2.21.0 on CPU (2 threads)", "wasm with SIMD, 1 thread". */
  readonly description: string;
}

/** One way to start a backend. Several loaders may share a name: the first that works is used. */
export interface BackendLoader {
  readonly name: BackendName;
  /**
   * Registers the backend, makes it tfjs's current one and waits until it is ready.
   *
   * @throws InputError if it cannot run here
   */
  load(): Promise<BackendInfo>;
  /** Whether the started backend can no longer compute and has to be loaded again. Default: it never fails. */
  hasFailed?(): boolean;
}

/**
 * Validates a user's choice of a backend.
 *
 * @param where where it comes from, for the error: "--backend", "CLIPSCOPE_BACKEND"
 * @throws InputError if it is not one of auto, tensorflow, webgpu, wasm and cpu
 */
export function parseBackendChoice(text: string, where?: string): BackendChoice {
  if (text === "auto") return text;
  const name = backendNames.find((known) => known === text);
  if (name === undefined) {
    const prefix = where === undefined ? "" : `${where}: `;
    throw new InputError(
      `${prefix}unknown backend "${text}"; choose one of auto, ${backendNames.join(", ")}`,
    );
  }
  return name;
}

interface Active {
  readonly choice: BackendChoice;
  readonly loaders: readonly BackendLoader[];
  readonly loader: BackendLoader;
  readonly info: BackendInfo;
}

let active: Active | undefined;
/** Makes starts wait for each other, because tfjs has one current backend. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Starts a backend, or returns the running one if it satisfies the choice.
 *
 * @param choice "auto" takes the first loader that works, a name the first of that name that works
 * @throws InputError if the choice is unknown or cannot run here; `details` holds the reasons
 */
export function startBackend(choice: BackendChoice, loaders: readonly BackendLoader[]): Promise<BackendInfo> {
  const started = queue.then(() => start(parseBackendChoice(choice), loaders));
  queue = started.catch(() => undefined);
  return started;
}

async function start(choice: BackendChoice, loaders: readonly BackendLoader[]): Promise<BackendInfo> {
  const candidates = loaders.filter(({ name }) =>
    choice === "auto" ? isTriedByAuto(name) : name === choice,
  );
  if (active && getBackend() === active.info.name && active.loader.hasFailed?.() !== true) {
    // A backend that was chosen by name may not be the best one, so it does not satisfy "auto".
    const satisfies = choice === "auto" ? active.choice === choice && active.loaders === loaders : true;
    if (satisfies && candidates.includes(active.loader)) return active.info;
  }

  const failures: { readonly loader: BackendLoader; readonly error: unknown }[] = [];
  for (const loader of candidates) {
    try {
      const info = await loader.load();
      active = { choice, loaders, loader, info };
      return info;
    } catch (error) {
      failures.push({ loader, error });
    }
  }

  const first = failures[0];
  if (first === undefined) throw new InputError(`the ${choice} backend is not available in this environment`);
  if (failures.length === 1) throw first.error;
  throw new InputError(
    choice === "auto"
      ? `no backend can run here; the first, ${first.loader.name}: ${messageOf(first.error)}`
      : `the ${choice} backend cannot run here: ${messageOf(first.error)}`,
    failures.slice(1).map(({ loader, error }) => `${loader.name}: ${messageOf(error)}`),
    { cause: first.error },
  );
}

/**
 * Makes a registered backend the current one and waits for it.
 *
 * @throws InputError if the backend does not initialise
 */
export async function activateBackend(name: BackendName): Promise<void> {
  const worked = await quietly(() => setBackend(name));
  if (!worked) {
    throw new InputError(`tfjs could not initialise the ${name} backend; choose another one`);
  }
  await ready();
}

/**
 * Runs a function without tfjs's notices on the console (a kernel that is registered twice, the stack of a failed
 * initialisation). Errors are still thrown.
 */
export async function quietly<T>(run: () => T | Promise<T>): Promise<T> {
  const flags = env();
  const before = flags.getBool("PROD");
  flags.set("PROD", true);
  try {
    return await run();
  } finally {
    flags.set("PROD", before);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
