/** Paths that are not regular files. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:net";

/** A named pipe that nobody writes to. */
export function makePipe(path: string): string {
  const { status, stderr } = spawnSync("mkfifo", [path]);
  if (status !== 0) throw new Error(stderr.toString());
  return path;
}

/** A Unix socket. Closing the server removes it. */
export async function makeSocket(path: string): Promise<Server> {
  const server = createServer().listen(path);
  await once(server, "listening");
  return server;
}
