/** The tensors of a model as the tree of its modules, in lines for a terminal. */
import { elementCount, type Dtype } from "../../lib/tensor/dtype.ts";
import { fit, widest } from "./table.ts";

export interface TreeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** null where there are no weights, only an architecture. */
  readonly dtype: Dtype | null;
  /** Position in the file. */
  readonly offset: number | null;
}

interface Module {
  readonly children: Map<string, Module>;
  readonly tensors: Map<string, TreeTensor>;
  parameters: number;
  flops: number;
}

interface Row {
  readonly label: string;
  /** Shape, parameters, GFLOPs, dtype, offset. */
  readonly cells: readonly string[];
}

export interface TreeOptions {
  /** Module path → floating-point operations of its own. */
  readonly flops?: ReadonlyMap<string, number>;
  /** Levels of modules to show. Default: all. */
  readonly depth?: number;
  /** Columns of the terminal. */
  readonly width: number;
}

/** Lines of at most `width` columns. Neighbours of the same structure (the blocks of a tower) are shown once. */
export function moduleTree(tensors: readonly TreeTensor[], { flops, depth, width }: TreeOptions): string[] {
  const root = newModule();
  for (const tensor of tensors) {
    const path = tensor.name.split(".");
    const own = path.pop()!;
    let module = root;
    module.parameters += elementCount(tensor.shape);
    for (const part of path) {
      module = child(module, part);
      module.parameters += elementCount(tensor.shape);
    }
    module.tensors.set(own, tensor);
  }
  for (const [path, count] of flops ?? []) {
    let module = root;
    module.flops += count;
    for (const part of path === "" ? [] : path.split(".")) {
      module = child(module, part);
      module.flops += count;
    }
  }
  return layOut([...rows(root, 0, depth ?? Infinity)], width);
}

function newModule(): Module {
  return { children: new Map(), tensors: new Map(), parameters: 0, flops: 0 };
}

function child(module: Module, name: string): Module {
  const found = module.children.get(name) ?? newModule();
  module.children.set(name, found);
  return found;
}

function* rows(module: Module, level: number, depth: number): Generator<Row> {
  const indent = "  ".repeat(level);
  for (const [name, { shape, dtype, offset }] of module.tensors) {
    yield {
      label: `${indent}${name}`,
      cells: [
        `[${shape.join(", ")}]`,
        elementCount(shape).toLocaleString("en"),
        "",
        dtype ?? "",
        offset === null ? "" : `@${offset}`,
      ],
    };
  }
  const children = [...module.children];
  for (let i = 0; i < children.length;) {
    let [name, inner] = children[i]!;
    const same = runOfSame(children, i);
    const label = same === 1 ? name : `${name} … ${children[i + same - 1]![0]}`;
    i += same;
    // A module that only holds another goes on the same line.
    let path = label;
    while (same === 1 && inner.tensors.size === 0 && inner.children.size === 1) {
      [[name, inner]] = [...inner.children] as [[string, Module]];
      path += `.${name}`;
    }
    yield {
      label: `${indent}${path}`,
      cells: [
        same === 1 ? "" : `${same} ×`,
        inner.parameters.toLocaleString("en"),
        inner.flops === 0 ? "" : gigaflops(inner.flops),
        "",
        "",
      ],
    };
    if (level + 1 < depth) yield* rows(inner, level + 1, depth);
  }
}

/** How many modules from the one at `start` have the same tensors, names and sizes, one after another. */
function runOfSame(children: readonly (readonly [string, Module])[], start: number): number {
  const first = structure(children[start]![1]);
  let end = start + 1;
  while (end < children.length && structure(children[end]![1]) === first) end++;
  return /^\d+$/.test(children[start]![0]) ? end - start : 1;
}

function structure(module: Module): string {
  const tensors = [...module.tensors].map(
    ([name, { shape, dtype }]) => `${name}${shape.join()}${dtype ?? ""}`,
  );
  const children = [...module.children].map(([name, inner]) => `${name}(${structure(inner)})`);
  return [...tensors.sort(), ...children, module.flops].join(";");
}

/** "0.39 GFLOPs" */
export function gigaflops(flops: number): string {
  const giga = flops / 1e9;
  return `${giga >= 100 ? giga.toFixed(1) : giga >= 0.1 ? giga.toFixed(2) : giga.toPrecision(2)} GFLOPs`;
}

/** Columns as wide as they have to be; where the terminal is narrower, the last ones go, then the ends of names. */
function layOut(table: readonly Row[], width: number): string[] {
  const gap = 2;
  const wide = [0, 1, 2, 3, 4].map((i) => widest(table.map(({ cells }) => cells[i]!)));
  const labels = widest(table.map(({ label }) => label));
  let columns = wide.length;
  const needed = (): number => labels + wide.slice(0, columns).reduce((sum, w) => sum + (w && w + gap), 0);
  while (columns > 1 && needed() > width) columns--;
  const labelWidth = Math.max(8, Math.min(labels, width - (needed() - labels)));
  return table.map(({ label, cells }) => {
    const shown = cells.slice(0, columns).map((cell, i) => {
      if (wide[i] === 0) return "";
      // Numbers to the right, words to the left.
      const space = " ".repeat(wide[i]! - widest([cell]));
      return " ".repeat(gap) + (i === 1 || i === 2 ? space + cell : cell + space);
    });
    return `${fit(label, labelWidth)}${shown.join("")}`.trimEnd();
  });
}
