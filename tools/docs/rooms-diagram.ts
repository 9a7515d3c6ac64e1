/** The rooms of rooms.js and the imports between them: docs/diagrams/rooms.svg. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { box, curve, drawing, text } from "./svg.ts";

interface Room {
  readonly path: string;
  readonly holds: string;
  readonly host?: boolean;
}

interface RoomsModule {
  readonly rooms: readonly Room[];
  readonly roomOf: (file: string) => number;
}

/** Rooms by their number in rooms.js, each with the rooms that it imports. */
type Imports = ReadonlyMap<number, ReadonlySet<number>>;

/** A room, or a place where an arrow passes a level. */
interface Node {
  readonly room: number | null;
  /** The nodes of the next lower level that it is connected with. */
  readonly below: Node[];
  readonly above: Node[];
  x: number;
}

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Rooms that import from nearly all others; their arrows would hide the rest. */
const leftOut = ["bench", "tools", "examples", "spec"];

const roomWidth = 190;
const roomHeight = 58;
const passWidth = 10;
const gap = { x: 20, y: 56 };
const margin = 24;

export async function roomsDiagram(): Promise<string> {
  const { rooms, roomOf } = (await import(pathToFileURL(join(root, "rooms.js")).href)) as RoomsModule;
  const shown = rooms.map((_, i) => i).filter((i) => !leftOut.includes(rooms[i]!.path));
  const imports = withoutTransitive(importsBetween(rooms, roomOf), shown);
  const levels = layered(shown, imports);
  const width = place(levels) + 2 * margin;

  const yOf = new Map<Node, number>();
  for (const [level, nodes] of levels.entries()) {
    for (const node of nodes) yOf.set(node, margin + (levels.length - 1 - level) * (roomHeight + gap.y));
  }
  const stretch = (node: Node): { x: number; top: number; bottom: number } => {
    const top = yOf.get(node)!;
    return { x: margin + node.x, top, bottom: top + roomHeight };
  };
  const nodes = levels.flat();
  const lines = nodes
    .filter(({ room }) => room !== null)
    .flatMap((node) => node.below.map((next) => curve(arrowFrom(node, next).map(stretch))));
  const boxes = nodes.flatMap((node) => {
    if (node.room === null) return [];
    const { x, top } = stretch(node);
    return drawRoom(rooms[node.room]!, x - roomWidth / 2, top);
  });

  const height = levels.length * (roomHeight + gap.y) - gap.y + 2 * margin + 40;
  const notes = [
    "An arrow is an import. Blue rooms need Node, the others run in a browser too.",
    `Not shown: imports that other arrows imply, and the rooms ${leftOut.join(", ")}.`,
  ].map((note, i) =>
    text({ x: width / 2, y: height - 34 + 18 * i }, note, { anchor: "middle", kind: "faint" }),
  );
  return drawing(width, height, "The rooms of the code and their imports", [...lines, ...boxes, ...notes]);
}

function drawRoom({ path, holds, host = false }: Room, x: number, y: number): string[] {
  return [
    box(x, y, roomWidth, roomHeight, host ? "accent" : "box"),
    text({ x: x + 10, y: y + 18 }, path, { kind: "bold" }),
    ...inTwoLines(holds).map((line, i) =>
      text({ x: x + 10, y: y + 34 + 14 * i }, line, { kind: "small faint" }),
    ),
  ];
}

function inTwoLines(words: string): string[] {
  if (words.length <= 30) return [words];
  const at = words.lastIndexOf(" ", 31);
  return [words.slice(0, at), words.slice(at + 1)];
}

/** For each room, the rooms before it that its files import; ESLint rejects other imports. */
function importsBetween(rooms: readonly Room[], roomOf: RoomsModule["roomOf"]): Imports {
  const found = new Map(rooms.map((_, i) => [i, new Set<number>()]));
  const folders = [...new Set(rooms.map(({ path }) => path.split("/")[0]!))];
  for (const file of folders.flatMap(typescriptIn)) {
    const from = roomOf(file);
    const source = readFileSync(join(root, file), "utf8");
    for (const [, specifier] of source.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)) {
      const to = roomOf(relative(root, join(root, dirname(file), specifier!)));
      if (to !== -1 && to < from) found.get(from)!.add(to);
    }
  }
  return found;
}

function typescriptIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .sort();
}

/** Keeps the rooms that are shown, and the imports between them that no longer path implies. */
function withoutTransitive(imports: Imports, shown: readonly number[]): Imports {
  const isShown = new Set(shown);
  const direct = new Map(
    shown.map((room) => [room, new Set([...imports.get(room)!].filter((to) => isShown.has(to)))]),
  );
  const reaches = (from: number, to: number): boolean =>
    [...direct.get(from)!].some((next) => next === to || reaches(next, to));
  return new Map(
    [...direct].map(([room, targets]) => [
      room,
      new Set([...targets].filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))),
    ]),
  );
}

/**
 * Rooms by the length of the longest path down, those that import nothing first. An arrow over several levels gets its
 * own place in each level that it passes, so that it runs between the rooms and not behind them.
 */
function layered(shown: readonly number[], imports: Imports): Node[][] {
  const levelOf = new Map<number, number>();
  for (const room of shown) {
    levelOf.set(room, Math.max(0, ...Array.from(imports.get(room)!, (to) => levelOf.get(to)! + 1)));
  }
  const levels: Node[][] = Array.from({ length: Math.max(...levelOf.values()) + 1 }, () => []);
  const add = (room: number | null, level: number): Node => {
    const node = { room, below: [], above: [], x: 0 };
    levels[level]!.push(node);
    return node;
  };
  const nodes = new Map(shown.map((room) => [room, add(room, levelOf.get(room)!)]));
  const connect = (above: Node, below: Node): void => {
    above.below.push(below);
    below.above.push(above);
  };
  for (const [room, targets] of imports) {
    for (const target of targets) {
      let above = nodes.get(room)!;
      for (let level = levelOf.get(room)! - 1; level > levelOf.get(target)!; level--) {
        const pass = add(null, level);
        connect(above, pass);
        above = pass;
      }
      connect(above, nodes.get(target)!);
    }
  }
  return levels;
}

/**
 * Gives each node its x: near the middle of its neighbours, in an order in which few arrows cross.
 *
 * @returns the width of the drawing
 */
function place(levels: Node[][]): number {
  const widthOf = ({ room }: Node): number => (room === null ? passWidth : roomWidth);
  const pack = (nodes: readonly Node[]): number => {
    const total = nodes.reduce((sum, node) => sum + widthOf(node) + gap.x, -gap.x);
    let x = -total / 2;
    for (const node of nodes) {
      node.x = x + widthOf(node) / 2;
      x += widthOf(node) + gap.x;
    }
    return total;
  };
  let width = 0;
  for (let round = 0; round < 12; round++) {
    for (const nodes of round % 2 === 0 ? levels : levels.toReversed()) {
      const centers = new Map(nodes.map((node) => [node, center(node)]));
      nodes.sort((a, b) => centers.get(a)! - centers.get(b)!);
      width = Math.max(width, pack(nodes));
    }
  }
  for (const node of levels.flat()) node.x += width / 2;
  return width;
}

function center({ above, below, x }: Node): number {
  const around = [...above, ...below];
  return around.length === 0 ? x : around.reduce((sum, node) => sum + node.x, 0) / around.length;
}

/** The nodes that an arrow passes, from a room to the next room. */
function arrowFrom(room: Node, next: Node): Node[] {
  const nodes = [room, next];
  for (let last = next; last.room === null; nodes.push(last)) last = last.below[0]!;
  return nodes;
}
