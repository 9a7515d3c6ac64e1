/** Compiles the kernels in C++, once for each instruction set. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { run } from "./run.ts";

/** The C++ sources. This file runs from dist/tools/native. */
export const kernelSources = fileURLToPath(new URL("../../../tools/native/kernels/", import.meta.url));

type InstructionSets = readonly (readonly [name: string, flags: readonly string[]])[];

const plainInstructions: InstructionSets = [["baseline", []]];

const avx512: readonly string[] = ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mfma"];

/**
 * The instruction sets that all kernels are compiled for, by processor. One is chosen when they are loaded
 * (kernels/instruction-sets.cc).
 */
const instructionSets: Readonly<Partial<Record<string, InstructionSets>>> = {
  x64: [...plainInstructions, ["avx2", ["-mavx2", "-mfma"]], ["avx512", avx512]],
};

/**
 * Further sets, for the products with packed weights alone; the scan has a kernel for the first. Older compilers do not know
 * them. One that knows a set knows those before it.
 */
const reducedInstructionSets: Readonly<Partial<Record<string, InstructionSets>>> = {
  x64: [
    ["avx512vnni", [...avx512, "-mavx512vnni"]],
    ["avx512bf16", [...avx512, "-mavx512bf16", "-mavx512vnni"]],
    ["amx", [...avx512, "-mavx512bf16", "-mavx512vnni", "-mamx-tile", "-mamx-bf16", "-mamx-int8"]],
  ],
};

export interface KernelOptions {
  readonly compiler: string;
  /** Runs the compiler with these arguments. @throws if it fails */
  readonly compile: (...args: string[]) => Promise<void>;
  /** The folder for the object files. */
  readonly folder: string;
}

/** Compiles the kernels, without what needs Node or TensorFlow. @returns the object files */
export async function compileKernels({ compiler, compile, folder }: KernelOptions): Promise<string[]> {
  const objects: string[] = [];
  const add = async (source: string, name: string, ...flags: string[]): Promise<void> => {
    const object = join(folder, `${name}.o`);
    await compile(...flags, "-pthread", "-c", join(kernelSources, `${source}.cc`), "-o", object);
    objects.push(object);
  };
  const addFor = (source: string, name: string, flags: readonly string[]): Promise<void> =>
    // Fused multiply-add, as in TensorFlow's builds of Eigen. Clang does not use it without this flag.
    add(source, `${source}-${name}`, ...["-O3", "-ffp-contract=fast", `-DCLIPSCOPE_ISA=${name}`, ...flags]);
  for (const [name, flags] of instructionSets[process.arch] ?? plainInstructions) {
    await addFor("arithmetic", name, flags);
    await addFor("reduced", name, flags);
    await addFor("scan", name, flags);
  }
  const known: string[] = [];
  for (const [name, flags] of reducedInstructionSets[process.arch] ?? []) {
    if (!(await knowsFlags(compiler, flags))) continue;
    await addFor("reduced", name, flags);
    if (name === "avx512vnni") await addFor("scan", name, flags);
    known.push(`-DCLIPSCOPE_HAS_${name}`);
  }
  await add("instruction-sets", "instruction-sets", ...known);
  await add("pack", "pack");
  await add("pool", "pool");
  return objects;
}

async function knowsFlags(compiler: string, flags: readonly string[]): Promise<boolean> {
  const args = [...flags, "-x", "c++", "-fsyntax-only", "/dev/null"];
  const { status } = await run(compiler, args, { missing: `${compiler} is not installed` });
  return status === 0;
}
