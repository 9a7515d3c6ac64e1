/** The tensors of a model as the tree of its modules. */
import { elementCount, type Dtype } from "../../lib/tensor/dtype.ts";
import { gigaflops } from "./format.ts";
import { layOutTable, type Column } from "./table.ts";

export interface TreeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** null for an architecture without weights. */
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

/** Label, shape, parameters, GFLOPs, dtype, offset. */
type Row = readonly [string, string, string, string, string, string];

export interface TreeOptions {
  /** Module path → floating-point operations of its own. */
  readonly flops?: ReadonlyMap<string, number>;
  /** Levels of modules to show. Default: all. */
  readonly depth?: number;
  /** Columns of the terminal. */
  readonly width: number;
}

/**
 * Lines of at most `width` columns. Adjacent modules of the same structure (the blocks of a tower) are shown once. In a
 * narrow terminal the last columns are left out, and the last lines name them.
 */
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
  const table = layOutTable(columns, [...rows(root, 0, depth ?? Infinity)], { width });
  const leftOut = table.leftOut.map((i) => columnNames[i]).join(", ");
  return leftOut === "" ? table.rows : [...table.rows, "", "too narrow to show", `  ${leftOut}`];
}

const columnNames = ["", "shape", "parameters", "GFLOPs", "dtype", "offset"];
const columns: readonly Column[] = [
  { cut: "end" },
  {},
  { align: "right", optional: true },
  { align: "right", optional: true },
  { optional: true },
  { optional: true },
];

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
    yield [
      `${indent}${name}`,
      `[${shape.join(", ")}]`,
      elementCount(shape).toLocaleString("en"),
      "",
      dtype ?? "",
      offset === null ? "" : `@${offset}`,
    ];
  }
  const children = [...module.children];
  for (let i = 0; i < children.length;) {
    let [name, inner] = children[i]!;
    const same = countSame(children, i);
    const label = same === 1 ? name : `${name} … ${children[i + same - 1]![0]}`;
    i += same;
    // A module that only contains another one shares its line.
    let path = label;
    while (same === 1 && inner.tensors.size === 0 && inner.children.size === 1) {
      [[name, inner]] = [...inner.children] as [[string, Module]];
      path += `.${name}`;
    }
    yield [
      `${indent}${path}`,
      same === 1 ? "" : `${same} ×`,
      inner.parameters.toLocaleString("en"),
      inner.flops === 0 ? "" : gigaflops(inner.flops),
      "",
      "",
    ];
    if (level + 1 < depth) yield* rows(inner, level + 1, depth);
  }
}

/** The number of consecutive modules from `start` that have the same tensors: names, shapes and dtypes. */
function countSame(children: readonly (readonly [string, Module])[], start: number): number {
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
