/**
 * Picks and starts tfjs's backend. What can run depends on the surroundings (Node, a browser), so the ways to
 * load a backend are handed in, best first: `lib/node/backends.ts` holds Node's.
 */
import { env, getBackend, ready, setBackend } from "@tensorflow/tfjs-core";

import { InputError } from "../errors/input-error.ts";

export const backendNames = ["tensorflow", "wasm", "cpu"] as const;
export type BackendName = (typeof backendNames)[number];
export type BackendChoice = "auto" | BackendName;

export interface BackendInfo {
  readonly name: BackendName;
  /** One line for people: "tensorflow 2.21.0 on CPU (2 threads)", "wasm with SIMD, 1 thread". */
  readonly description: string;
}

/** One way to get a backend. Several loaders may share a name: the first that works is taken. */
export interface BackendLoader {
  readonly name: BackendName;
  /**
   * Registers the backend, makes it tfjs's current one and waits until it is ready.
   *
   * @throws InputError saying why it cannot run here and what to do.
   */
  load(): Promise<BackendInfo>;
}

/**
 * Reads a choice that a person wrote.
 *
 * @param where where it was written, for the message: "--backend", "CLIPSCOPE_BACKEND"
 * @throws InputError if it is none of auto, tensorflow, wasm and cpu.
 */
export function parseBackendChoice(text: string, where = "--backend"): BackendChoice {
  if (text === "auto") return text;
  const name = backendNames.find((known) => known === text);
  if (name === undefined) {
    throw new InputError(
      `${where}: unknown backend "${text}"; choose one of auto, ${backendNames.join(", ")}`,
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
/** Starts wait for one another: tfjs has one current backend. */
let queue: Promise<unknown> = Promise.resolve();

/**
 * Starts a backend, or returns the one that is running if it answers the choice already.
 *
 * @param choice "auto" takes the first loader that works; a name takes the first of that name that works.
 * @throws InputError if the choice is unknown or nothing of it can run here; `details` holds every reason.
 */
export function startBackend(choice: BackendChoice, loaders: readonly BackendLoader[]): Promise<BackendInfo> {
  const started = queue.then(() => start(parseBackendChoice(choice), loaders));
  queue = started.catch(() => undefined);
  return started;
}

async function start(choice: BackendChoice, loaders: readonly BackendLoader[]): Promise<BackendInfo> {
  const candidates = loaders.filter((loader) => choice === "auto" || loader.name === choice);
  if (active && getBackend() === active.info.name) {
    // "auto" is not answered by a lesser backend that somebody named before.
    const answers = choice === "auto" ? active.choice === choice && active.loaders === loaders : true;
    if (answers && candidates.includes(active.loader)) return active.info;
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
  if (first === undefined) throw new InputError(`the ${choice} backend is not part of this build`);
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
 * @throws InputError if the backend does not initialise.
 */
export async function activateBackend(name: BackendName): Promise<void> {
  const worked = await quietly(() => setBackend(name));
  if (!worked) {
    throw new InputError(`tfjs could not initialise the ${name} backend; choose another with --backend`);
  }
  await ready();
}

/**
 * Runs something without tfjs's own notices on the console (a second registration of a kernel, a failed
 * initialisation with its stack). Errors come through.
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
