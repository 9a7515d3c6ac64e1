/** The shape of the repository: rooms, imports without cycles, and specs that mirror the code. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path/posix";
import { globSync } from "tinyglobby";
import ts from "typescript";
import { packageRoot } from "./support/paths.ts";

const filesOf = (...patterns: string[]): string[] => globSync(patterns, { cwd: packageRoot }).sort();
const code = filesOf("{lib,cli,tools,bench,examples,web}/**/*.{ts,tsx}");
const specs = filesOf("spec/**/*.{spec,slow,native,gpu}.ts");

/** Specs without a file of their name, because they are about a whole room, several rooms, or documents. */
const withoutSubject = [
  /^spec\/(docs|examples|full|reliability)\//,
  /^spec\/web\/bundle\.spec\.ts$/,
  /^spec\/package\.spec\.ts$/,
  /^spec\/parity\/(demo|finetune|gradients|origins|origin-gradients|streaming|tiny|training|training-resume)\.spec\.ts$/,
  /^spec\/bench\/onnx\.spec\.ts$/,
  /^spec\/image\/(damaged|pillow)\.spec\.ts$/,
  /^spec\/node\/hub\/published-size\.slow\.ts$/,
  /^spec\/text\/unigram\/hugging-face\.spec\.ts$/,
  /^spec\/tools\/demo-model\/directory\.spec\.ts$/,
  /^spec\/tools\/native\/(built|read-weight)\.native\.ts$/,
  /^spec\/webgpu\/published-size\.gpu\.ts$/,
];

/** Files of the network that compute nothing: lists of exports, types, and tables. */
const withoutSpec = [
  /\/index\.ts$/,
  /^lib\/clip\/config\/clip-config\.ts$/,
  /^lib\/clip\/config\/architectures\//,
  /^lib\/clip\/text\/tower\.ts$/,
];

/** Whether a file or a folder has this path, for example `lib/nn/linear` for `lib/nn/linear.ts`. */
function exists(path: string): boolean {
  return ["", ".ts", ".tsx", ".js"].some((extension) => existsSync(`${packageRoot}${path}${extension}`));
}

/** The files that each file imports, types included. */
function importGraph(files: readonly string[]): Map<string, readonly string[]> {
  return new Map(
    files.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(`${packageRoot}${file}`, "utf8"));
      const relative = importedFiles.filter(({ fileName }) => fileName.startsWith("."));
      return [file, relative.map(({ fileName }) => join(dirname(file), fileName))];
    }),
  );
}

/** Groups of files that import each other, directly or through others. By Tarjan's algorithm. */
function cyclesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const order = new Map<string, number>();
  /** The earliest file on the stack that each file reaches. */
  const earliest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    const index = order.size;
    order.set(file, index);
    earliest.set(file, index);
    stack.push(file);
    for (const imported of graph.get(file) ?? []) {
      if (!order.has(imported)) visit(imported);
      if (stack.includes(imported))
        earliest.set(file, Math.min(earliest.get(file)!, earliest.get(imported)!));
    }
    if (earliest.get(file) !== index) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1 || graph.get(file)?.includes(file) === true) cycles.push(group.sort());
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return cycles;
}

describe("rooms", () => {
  it("hold all folders of code, and each of them exists", async () => {
    const { rooms } = (await import(`${packageRoot}rooms.js`)) as { rooms: { path: string }[] };
    const paths = rooms.map(({ path }) => path);
    assert.deepEqual(
      paths.filter((path) => !existsSync(`${packageRoot}${path}`)),
      [],
    );
    const outside = code.filter(
      (file) => !paths.some((path) => file === path || file.startsWith(`${path}/`)),
    );
    assert.deepEqual(outside, []);
  });

  it("have no cycle of imports, types included", () => {
    const graph = importGraph(code);
    assert.ok(graph.get("lib/nn/linear.ts")?.includes("lib/nn/module.ts"), "imports are found");
    const missing = [...graph].flatMap(([file, imports]) =>
      imports.filter((path) => !existsSync(`${packageRoot}${path}`)).map((path) => `${file} imports ${path}`),
    );
    assert.deepEqual(missing, []);
    assert.deepEqual(cyclesOf(graph), []);
  });
});

describe("cyclesOf", () => {
  it("finds the groups of files that import each other", () => {
    const graph = new Map([
      ["a", ["b", "d"]],
      ["b", ["c"]],
      ["c", ["b"]],
      ["d", ["d"]],
      ["e", ["a"]],
    ]);
    assert.deepEqual(cyclesOf(graph), [["b", "c"], ["d"]]);
  });
});

describe("specs", () => {
  // `spec/nn/linear.spec.ts` is about `lib/nn/linear.ts`, and `spec/clip/clip/logits.spec.ts` about a part of
  // `lib/clip/clip.ts`. Rooms outside lib keep their names: `spec/cli/main.spec.ts`.
  it("have the name of the file or folder that they are about", () => {
    const orphans = specs.filter((spec) => {
      if (withoutSubject.some((pattern) => pattern.test(spec))) return false;
      const path = join(dirname(spec), basename(spec).split(".")[0]!).slice("spec/".length);
      return !["lib/", ""].some(
        (root) => exists(`${root}${path}`) || existsSync(`${packageRoot}${root}${dirname(path)}.ts`),
      );
    });
    assert.deepEqual(orphans, []);
  });

  it("exist for each file of the network", () => {
    const missing = code.filter((file) => {
      if (!/^lib\/(nn|clip)\//.test(file) || withoutSpec.some((pattern) => pattern.test(file))) return false;
      const path = `spec/${file.slice("lib/".length, -".ts".length)}`;
      return !specs.includes(`${path}.spec.ts`) && !specs.some((spec) => spec.startsWith(`${path}/`));
    });
    assert.deepEqual(missing, []);
  });
});
