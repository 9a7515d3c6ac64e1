/**
 * Builds the studio's page to dist/studio. `tsc` runs before: the virtual modules are made by compiled code.
 *
 * Paths in the page are relative, so that it runs from any folder of any host.
 */
import { readFileSync } from "node:fs";
import { parseTapDocs } from "../dist/lib/trace/tap-docs.js";
import { sampleCaptions } from "../dist/tools/studio/captions.js";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

/** Modules whose contents are computed at build time. */
const virtual = {
  "virtual:tap-docs": () => ({ tapDocs: parseTapDocs(read("docs/architecture.md")) }),
  "virtual:samples": () => ({ samples: sampleCaptions() }),
  "virtual:version": () => ({ version: JSON.parse(read("package.json")).version }),
};

const computedModules = {
  name: "computed-modules",
  resolveId: (id) => (id in virtual ? `\0${id}` : undefined),
  load(id) {
    const make = virtual[id.slice(1)];
    if (make === undefined) return undefined;
    return Object.entries(make())
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`)
      .join("\n");
  },
};

/** tfjs's wasm package has branches for Node that the page never takes. */
const withoutNode = {
  name: "without-node",
  enforce: "pre",
  resolveId: (id) =>
    ["fs", "path", "os", "perf_hooks", "worker_threads", "module"].includes(id) ? "\0node" : undefined,
  load: (id) => (id === "\0node" ? "export default null;" : undefined),
};

export default {
  root: import.meta.dirname,
  base: "./",
  plugins: [computedModules, withoutNode],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  worker: { format: "es", plugins: () => [computedModules, withoutNode] },
  build: {
    outDir: "../dist/studio",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
};
