/** A web host as anybody has one: it sends the files of a folder, below a path, and knows nothing else. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

export interface StaticHost {
  /** Of the folder, with a slash at the end. */
  readonly url: string;
  readonly server: Server;
  close(): Promise<void>;
}

/** @param path of the folder on the host, such as `/a/b/` @param pages documents beside the folder, by their address */
export async function hostFolder(
  folder: string,
  path: string,
  pages: Readonly<Record<string, string>> = {},
): Promise<StaticHost> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, "http://host");
    const page = pages[pathname];
    if (page !== undefined) {
      response.setHeader("Content-Type", "text/html").end(page);
      return;
    }
    const inside = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const file = join(folder, normalize(inside.slice(path.length)));
    readFile(file).then(
      (bytes) => {
        if (!pathname.startsWith(path)) throw new Error(pathname);
        response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream").end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
