/**
 * The rooms of the code, from the ground up. A room may import from itself and from earlier rooms in this list; the
 * lint rule below, docs/diagrams/rooms.svg and `spec/rooms.spec.ts` use it.
 *
 * `host`: the room may use Node's modules. `peer`: the room must not import other rooms marked `peer`. `page`: only
 * rooms of the page and the specs may import it. `without`: modules and files that the room must not import.
 */
import { dirname, relative, resolve, sep } from "node:path";

export const rooms = [
  { path: "lib/errors", holds: "the error that a user can fix" },
  { path: "lib/json", holds: "one reader of untrusted JSON" },
  { path: "lib/wasm", holds: "the package's own WebAssembly modules" },
  { path: "lib/tensor", holds: "backends, dtypes, safetensors, weights, taps, comparison" },
  { path: "lib/image", holds: "image files to pixels, as Pillow computes them" },
  { path: "lib/text", holds: "text cleaning, tokenizers, their files" },
  { path: "lib/nn", holds: "layers and the network's own operations" },
  { path: "lib/webgpu", holds: "the WebGPU backend: its device, and shaders for the network's operations" },
  { path: "lib/clip", holds: "the network: towers, loss, gradients, configurations" },
  { path: "lib/checkpoint", holds: "PyTorch files, layouts of other projects" },
  { path: "lib/tasks", holds: "embedding, zero-shot classification, ranking" },
  { path: "lib/condition", holds: "the tensors that image generators take" },
  { path: "lib/features", holds: "features files and the journal of unfinished work" },
  { path: "lib/probe", holds: "linear probes", peer: true },
  { path: "lib/train", holds: "training: optimizer, schedules, locks, the step", peer: true },
  { path: "lib/draw", holds: "raster images and SVG charts" },
  {
    path: "lib/retrieval",
    holds: "index folders: plans, partitions, ids, tombstones; search in them",
    peer: true,
  },
  {
    path: "lib/eval",
    holds: "evaluation as in CLIP_benchmark: datasets, prompts, metrics, records",
    peer: true,
  },
  { path: "lib/serve", holds: "answers to HTTP requests: embeddings, searches, metrics", peer: true },
  { path: "lib/trace", holds: "the taps of a pass: summaries, values, what each tap is" },
  { path: "lib/study", holds: "attention, rollout, layer answers" },
  { path: "lib/guide", holds: "image generation by gradient ascent" },
  { path: "lib/parity", holds: "goldens and their verification" },
  {
    path: "lib/studio",
    holds: "the questions of the studio's page, answered in its worker or in the server",
  },
  { path: "lib/browser", holds: "files over HTTP, decoders, a backend: what needs a browser" },
  { path: "web/worker", holds: "the network in a worker of the studio's page", page: true },
  {
    path: "web",
    holds: "the studio's page",
    page: true,
    without:
      /^@tensorflow\/|^lib\/(nn|clip|checkpoint)(\/|$)|^lib\/trace\/index|^lib\/studio\/(?!results|wire)/,
  },
  { path: "lib/node", holds: "files, threads, backends, the hub: what needs Node", host: true },
  { path: "lib/index.ts", holds: "the package under Node", host: true },
  { path: "tools/convert", holds: "checkpoints to model directories", host: true },
  { path: "tools/native", holds: "the native TensorFlow build", host: true },
  { path: "tools/wasm", holds: "the compiler of lib/wasm's modules", host: true },
  { path: "cli", holds: "the command line", host: true },
  { path: "spec/support", holds: "what specs and the fuzzer share", host: true },
  { path: "bench", holds: "the benchmark and its peers", host: true },
  { path: "tools", holds: "programs for contributors", host: true },
  { path: "examples", holds: "example programs", host: true },
  { path: "spec", holds: "the specs", host: true },
];

const root = import.meta.dirname;

/** The index of the room that a file belongs to, by its path from the repository's root; -1 outside all rooms. */
export function roomOf(file) {
  const path = file.split(sep).join("/");
  const matches = rooms.filter((room) => path === room.path || path.startsWith(`${room.path}/`));
  const deepest = matches.sort((a, b) => b.path.length - a.path.length)[0];
  return deepest === undefined ? -1 : rooms.indexOf(deepest);
}

/** Why a file may not import a module; null if it may. */
export function refusal(file, specifier) {
  const from = roomOf(file);
  if (from === -1) return null;
  const room = rooms[from];
  const imported = specifier.startsWith(".")
    ? relative(root, resolve(root, dirname(file), specifier))
        .split(sep)
        .join("/")
    : specifier;
  if (room.without?.test(imported))
    return `${room.path} must not import ${imported}: the worker runs the network`;
  if (!specifier.startsWith(".")) {
    const isNode = specifier.startsWith("node:");
    return isNode && !room.host
      ? `${room.path} must not import ${specifier}: it runs in a browser too`
      : null;
  }
  const target = relative(root, resolve(root, dirname(file), specifier));
  const to = roomOf(target);
  if (to > from) return `${room.path} must not import ${target}: ${rooms[to].path} comes later in rooms.js`;
  if (rooms[to]?.page && !room.page && room.path !== "spec")
    return `${room.path} must not import ${target}: only the page may import the page`;
  if (to !== from && room.peer && rooms[to]?.peer)
    return `${room.path} must not import ${rooms[to].path}: move shared code to an earlier room in rooms.js`;
  return null;
}

/** The lint rule: a room imports only from earlier rooms. */
export const roomsPlugin = {
  rules: {
    order: {
      meta: { type: "problem", schema: [] },
      create(context) {
        const file = relative(root, context.filename);
        const check = (node) => {
          const reason = typeof node.source?.value === "string" ? refusal(file, node.source.value) : null;
          if (reason !== null) context.report({ node, message: reason });
        };
        return {
          ImportDeclaration: check,
          ExportNamedDeclaration: check,
          ExportAllDeclaration: check,
          ImportExpression: check,
        };
      },
    },
  },
};
