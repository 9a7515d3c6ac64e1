/** `clipscope doctor`: which backends can run here, why the others cannot, and how to get them. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Command } from "commander";

import { hasNvidiaDriver, nodeBackends } from "../../lib/node/backends/backends.ts";
import { cacheFolder, type NativeManifest, nativeBuilds } from "../../lib/node/native/native-build.ts";
import type { Tried } from "../../lib/node/backends/try-backend.ts";

const execute = promisify(execFile);

interface BackendReport {
  readonly backend: string;
  readonly title: string;
  readonly runs: boolean;
  /** What runs, or why it does not and what to do. */
  readonly description: string;
  readonly startMs: number | null;
  readonly rss: number | null;
}

interface Report {
  readonly node: string;
  readonly platform: string;
  readonly threads: number;
  /** Vector instructions of the processor that matter here; null where the system does not tell. */
  readonly simd: readonly string[] | null;
  readonly memory: { readonly total: number; readonly free: number };
  readonly gpu: {
    readonly driver: boolean;
    /** nvidia-smi's "name, driver version, memory"; empty without it. */
    readonly devices: readonly string[];
    readonly libraries: Readonly<Record<string, string | null>>;
  };
  readonly native: {
    readonly cache: string;
    readonly builds: readonly (NativeManifest & { folder: string })[];
  };
  /** The environment's preset, if any. */
  readonly preset: string | null;
  /** What "auto" takes; best first, so the first that runs. */
  readonly auto: string | null;
  readonly backends: readonly BackendReport[];
}

export function register(program: Command): void {
  program
    .command("doctor")
    .description("which backends can run here, why the others cannot, and how to get them")
    .action(async (_options: unknown, command: Command) => {
      const report = await examine();
      const { json } = command.optsWithGlobals<{ json?: boolean }>();
      console.log(json === true ? JSON.stringify(report, undefined, 2) : describe(report).join("\n"));
    });
}

async function examine(): Promise<Report> {
  const backends: BackendReport[] = [];
  // One after the other: each takes every core and some hundred MB while it starts.
  for (const [index, { name, title }] of nodeBackends.entries()) {
    const tried = await tryInChild(index);
    backends.push({
      backend: name,
      title,
      runs: tried.runs,
      description: tried.runs ? tried.description : tried.reason,
      startMs: tried.runs ? tried.startMs : null,
      rss: tried.runs ? tried.rss : null,
    });
  }
  const cache = cacheFolder();
  return {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    threads: availableParallelism(),
    simd: vectorInstructions(),
    memory: { total: totalmem(), free: freemem() },
    gpu: { driver: hasNvidiaDriver(), devices: await gpuDevices(), libraries: gpuLibraries() },
    native: { cache, builds: nativeBuilds(cache).map(({ folder, manifest }) => ({ ...manifest, folder })) },
    preset: process.env["CLIPSCOPE_BACKEND"] ?? null,
    auto: backends.find(({ runs }) => runs)?.title ?? null,
    backends,
  };
}

async function tryInChild(index: number): Promise<Tried> {
  const script = fileURLToPath(new URL("../../lib/node/backends/try-backend.js", import.meta.url));
  try {
    const { stdout } = await execute(process.execPath, [script, String(index)]);
    return JSON.parse(stdout) as Tried;
  } catch (error) {
    const { signal, stderr } = error as { signal?: string | null; stderr?: string };
    const reason = signal
      ? `it ends the process with ${signal}: this processor may lack instructions that it needs (AVX)`
      : (/^\w*Error: .*$/m.exec(stderr ?? "")?.[0] ?? "it does not start");
    return { runs: false, reason };
  }
}

const instructions = ["sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "amx_tile", "asimd", "sve"];

/** From Linux's /proc/cpuinfo. */
function vectorInstructions(): string[] | null {
  if (!existsSync("/proc/cpuinfo")) return null;
  const [, flags] = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8")) ?? [];
  const present = new Set(flags?.trim().split(" "));
  return instructions.filter((name) => present.has(name));
}

async function gpuDevices(): Promise<string[]> {
  try {
    const query = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"];
    const { stdout } = await execute("nvidia-smi", query, { timeout: 10_000 });
    return stdout.trim().split("\n");
  } catch {
    return [];
  }
}

/** Where the dynamic linker would look for the driver's and CUDA's libraries, and for what. */
function gpuLibraries(): Record<string, string | null> {
  const folders = [
    ...(process.env["LD_LIBRARY_PATH"] ?? "").split(":").filter((folder) => folder !== ""),
    ...[
      "/usr/lib/x86_64-linux-gnu",
      "/usr/lib/aarch64-linux-gnu",
      "/usr/lib64",
      "/usr/lib",
      "/usr/lib/wsl/lib",
    ],
    ...["/usr/local/cuda/lib64", "/usr/local/nvidia/lib64"],
  ];
  const found: Record<string, string | null> = {};
  for (const stem of ["libcuda", "libcudart", "libcublas", "libcudnn"]) {
    found[stem] = firstWith(folders, `${stem}.so`) ?? null;
  }
  return found;
}

function firstWith(folders: readonly string[], start: string): string | undefined {
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    const name = readdirSync(folder).find((entry) => entry.startsWith(start));
    if (name !== undefined) return join(folder, name);
  }
  return undefined;
}

function describe(report: Report): string[] {
  const { gpu, memory, native } = report;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;
  const libraries = Object.entries(gpu.libraries).map(([name, path]) => `${name} ${path ?? "not found"}`);
  const lines = [
    `Node        ${report.node} on ${report.platform}, ${report.threads} threads`,
    `SIMD        ${report.simd === null ? "the system does not tell" : report.simd.join(" ")}`,
    `memory      ${gigabytes(memory.total)}, free ${gigabytes(memory.free)}`,
    `GPU         ${gpu.devices.length > 0 ? gpu.devices.join("; ") : gpuAbsence(gpu.driver)}`,
    `            ${libraries.join(", ")}`,
    `native      ${native.cache}`,
  ];
  for (const build of native.builds) {
    lines.push(
      `            TensorFlow ${build.tensorflow}${build.gpu ? " for GPUs" : ""}, from ${build.source}`,
    );
  }
  if (native.builds.length === 0) lines.push('            no build; "clipscope native" makes one');
  lines.push("");
  for (const { backend, title, runs, description, startMs, rss } of report.backends) {
    if (startMs === null || rss === null || !runs) {
      lines.push(`✗ ${backend}, ${title}: ${description}`);
    } else {
      lines.push(`✓ ${description}; ${title}, starts in ${startMs} ms, ${(rss / 1e6).toFixed(0)} MB`);
    }
  }
  const preset = report.preset === null ? "" : `, but CLIPSCOPE_BACKEND presets ${report.preset}`;
  lines.push("", `--backend auto takes: ${report.auto ?? "nothing"}${preset}`);
  return lines;
}

function gpuAbsence(driver: boolean): string {
  return driver
    ? "NVIDIA's driver is there, nvidia-smi tells nothing"
    : "none (no NVIDIA driver, no nvidia-smi)";
}
