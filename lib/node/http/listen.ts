/** Starts and stops HTTP servers. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { InputError } from "../../errors/input-error.ts";

/** @param port 0 for any free one @throws InputError if the port is taken, or the address is not this machine's */
export async function listen(server: Server, port: number, host = "127.0.0.1"): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const options = { cause: error };
      if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND") {
        reject(new InputError(`--host ${host}: expected an address of this machine`, [], options));
        return;
      }
      const reason = error.code === "EADDRINUSE" ? "it is in use" : error.message;
      reject(new InputError(`port ${port}: ${reason}; choose another one with --port`, [], options));
    });
    server.listen(port, host, resolve);
  });
}

/** The port on which a server listens. */
export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

/** Stops a server at once: open connections are cut. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
