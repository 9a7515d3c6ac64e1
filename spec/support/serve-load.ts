/** Clients of a server that send requests without a pause. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { packageRoot } from "./paths.ts";
import { parseExposition, valueOf } from "./prometheus.ts";

export interface LoadOptions {
  readonly url: string;
  readonly clients: number;
  /** The body of each request to `/knn-service`. @param n its number, of all clients */
  readonly body: (n: number) => object;
  /** When to stop: after so many requests, or so many seconds. */
  readonly requests?: number;
  readonly seconds?: number;
}

export interface Load {
  readonly requests: number;
  /** Answers other than 200, and connections that broke, with what was said. */
  readonly errors: readonly string[];
  readonly seconds: number;
  /** Of each request, ascending. */
  readonly milliseconds: readonly number[];
}

export async function load({
  url,
  clients,
  body,
  requests = Infinity,
  seconds = Infinity,
}: LoadOptions): Promise<Load> {
  const errors: string[] = [];
  const milliseconds: number[] = [];
  const start = performance.now();
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < requests && performance.now() - start < 1000 * seconds) {
      const sent = performance.now();
      try {
        const response = await fetch(`${url}knn-service`, {
          method: "POST",
          body: JSON.stringify(body(next++)),
        });
        const text = await response.text();
        if (response.status !== 200) errors.push(`${response.status} ${text}`);
      } catch (error) {
        errors.push(String((error as Error).cause ?? error));
      }
      milliseconds.push(performance.now() - sent);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return {
    requests: milliseconds.length,
    errors,
    seconds: (performance.now() - start) / 1000,
    milliseconds: milliseconds.sort((a, b) => a - b),
  };
}

export interface ServeProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Of the process, in bytes, as its metrics say. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

/** `clipscope serve` in a process of its own. */
export async function serveProcess(folder: string, ...args: readonly string[]): Promise<ServeProcess> {
  const child = spawn(
    process.execPath,
    ["bin/clipscope.js", "serve", folder, "--port", "0", "--json", ...args],
    { cwd: packageRoot, stdio: ["ignore", "pipe", "inherit"] },
  );
  const exit = once(child, "exit");
  const first = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
  const [line] = await Promise.race([
    first,
    exit.then(() => Promise.reject(new Error("the server has not started"))),
  ]);
  const { url } = JSON.parse(line) as { readonly url: string };
  return {
    url,
    child,
    memory: async () => {
      const metrics = parseExposition(await (await fetch(`${url}metrics`)).text());
      return valueOf(metrics, "process_resident_memory_bytes");
    },
    stop: async () => {
      child.kill("SIGTERM");
      await exit;
    },
  };
}
