/** `clipscope diff`: compares two models tensor by tensor. Starts no backend. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { exists } from "../../lib/node/files/exists.ts";
import { unreadable } from "../../lib/node/files/file-source.ts";
import { ignoredTensors } from "../../lib/clip/network.ts";
import { findLayout } from "../../lib/node/models/foreign-model.ts";
import { configName, findModel } from "../../lib/node/models/model-directory.ts";
import { openWeights, openWeightsFile } from "../../lib/node/models/weights-file.ts";
import { diffStores, type DifferenceKind, type TensorDifference } from "../../lib/tensor/diff.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { TensorStore } from "../../lib/tensor/store.ts";
import type { GlobalOptions } from "../options/global-options.ts";
import { examples } from "../options/option-values.ts";
import { printable } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends GlobalOptions {
  readonly prefix?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("diff")
    .description(
      "Compare two models tensor by tensor: identical, equal after rounding to the other's format, different (and by " +
        "how much), or only in one model. The exit status is 1 if any tensor differs or is missing.",
    )
    .argument("<a>", "model directory, hf:REPOSITORY or weights file")
    .argument("<b>", "model directory, hf:REPOSITORY or weights file")
    .option("--prefix <prefix>", 'compare only tensors whose names start with this: "visual."')
    .addHelpText("after", examples("clipscope diff multilingual/ english/ --prefix visual."))
    .action(async (a: string, b: string, _options: unknown, self: Command) => {
      await diff(a, b, self.optsWithGlobals(), terminal);
    });
}

async function diff(
  a: string,
  b: string,
  { prefix = "", json = false }: Options,
  terminal: Terminal,
): Promise<void> {
  const storeA = await openStore(a);
  try {
    const storeB = await openStore(b);
    try {
      const all = await compare(storeA, storeB, prefix, terminal);
      const differences = all.filter(({ name }) => !ignoredTensors.includes(name));
      const ignored = all.filter((one) => !differences.includes(one)).map(({ name }) => name);
      const isSame = differences.every(({ kind }) => kind === "identical" || kind === "rounded");
      if (!isSame) terminal.status = 1;
      if (json) terminal.printJson({ same: isSame, tensors: differences, ignored });
      else terminal.printLines(describe(differences, ignored).map(printable));
    } finally {
      await storeB.close();
    }
  } finally {
    await storeA.close();
  }
}

async function openStore(name: string): Promise<TensorStore> {
  const { path, hint } = await findModel(name);
  const kind = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!kind.isDirectory()) return (await openWeightsFile(path)).store;
  const layout = (await exists(join(path, configName))) ? undefined : await findLayout(path);
  return openWeights(path, hint, layout);
}

async function compare(
  a: TensorStore,
  b: TensorStore,
  prefix: string,
  terminal: Terminal,
): Promise<TensorDifference[]> {
  const names = new Set([...a.tensors.keys(), ...b.tensors.keys()]);
  const count = [...names].filter((name) => name.startsWith(prefix)).length;
  if (count === 0) {
    throw new InputError(`--prefix ${prefix}: no tensor of ${a.name} or ${b.name} starts with this`);
  }
  return terminal.counting(count, "tensors", async (update) => {
    const differences: TensorDifference[] = [];
    for await (const difference of diffStores(a, b, prefix)) {
      differences.push(difference);
      update(differences.length);
    }
    return differences;
  });
}

const kinds: Readonly<Record<DifferenceKind, string>> = {
  identical: "identical",
  rounded: "equal after rounding",
  different: "different",
  shape: "of different shapes",
  "only-a": "only in the first",
  "only-b": "only in the second",
};

function describe(differences: readonly TensorDifference[], ignored: readonly string[]): string[] {
  const lines: string[] = [];
  for (const difference of differences) {
    const { name, kind, dtypes, shapes, maxAbs, relativeL2, differing } = difference;
    if (kind === "different") {
      const relative = relativeL2 === null ? "not finite" : relativeL2.toExponential(2);
      const largest = maxAbs === null ? "not finite" : maxAbs.toExponential(2);
      const formats = dtypes[0] === dtypes[1] ? "" : `, ${dtypes.join(" and ")}`;
      lines.push(
        `${name}: ${differing ?? "?"} numbers differ, relative L2 ${relative}, largest ${largest}${formats}`,
      );
    } else if (kind === "shape") {
      lines.push(`${name}: ${shapes.map((shape) => `[${shape?.join(", ") ?? ""}]`).join(" and ")}`);
    } else if (kind.startsWith("only")) lines.push(`${name}: ${kinds[kind]}`);
  }
  for (const [kind, label] of Object.entries(kinds)) {
    const count = differences.filter((one) => one.kind === kind).length;
    if (count > 0) lines.push(`${count} ${label}`);
  }
  if (ignored.length > 0) lines.push(`not compared, because no layer reads it: ${ignored.join(", ")}`);
  return lines;
}
