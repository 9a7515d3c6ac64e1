/**
 * Serves the example in this folder: zero-shot classification in a browser, on wasm, with the demo model.
 *
 *     npm run build && node dist/examples/browser/serve.js [--port 8000]
 *
 * The two headers allow the page to share memory between threads; without them tfjs uses one thread. In a browser tfjs
 * uses half as many threads as the processor has.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = resolve(fileURLToPath(new URL("../../../", import.meta.url)));

const page = "examples/browser/index.html";

const types: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** Serves the files of the checkout; `/` is the page. */
export function serve(): Server {
  return createServer((request, response) => {
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    response.setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    fileAt(request.url ?? "/").then(
      (path) => {
        response.setHeader("Content-Type", types[extname(path)] ?? "application/octet-stream");
        createReadStream(path).pipe(response);
      },
      () => response.writeHead(404).end(),
    );
  });
}

/** @throws Error unless it is a file of the checkout */
async function fileAt(url: string): Promise<string> {
  const { pathname } = new URL(url, "http://localhost");
  const path = resolve(join(root, decodeURIComponent(pathname === "/" ? page : pathname)));
  if (!path.startsWith(root + sep) || !(await stat(path)).isFile()) throw new Error(`no file: ${path}`);
  return path;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: "string", default: "8000" } } });
  serve()
    .on("error", (error) => {
      console.error(`port ${values.port}: ${error.message}`);
      process.exitCode = 2;
    })
    .listen(Number(values.port), "127.0.0.1", () => {
      console.log(`http://localhost:${values.port}/`);
    });
}
