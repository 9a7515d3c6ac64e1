/** `clipscope doctor`: checks which backends run on this machine, and how to get the others. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { availableParallelism, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Command } from "commander";
import { loadSharp } from "../../lib/node/images/sharp-decoder.ts";
import { hasNvidiaDriver, nodeBackends } from "../../lib/node/backends/backends.ts";
import { cacheFolder, type NativeManifest, nativeBuilds } from "../../lib/node/native/native-build.ts";
import { isTriedByAuto, type BackendName } from "../../lib/tensor/backend.ts";
import type { Adapter } from "../../lib/webgpu/index.ts";
import type { Tried } from "../../lib/node/backends/try-backend.ts";
import { byteSize } from "../terminal/format.ts";
import { layOutFields } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

const execute = promisify(execFile);

interface BackendReport {
  readonly backend: BackendName;
  readonly title: string;
  readonly runs: boolean;
  /** What runs, or why it does not run and how to fix that. */
  readonly description: string;
  readonly startMs: number | null;
  readonly rss: number | null;
  /** How it computes products with `--precision`; null if it computes in float32 alone. */
  readonly precisions: Readonly<Record<string, string>> | null;
  /** The GPUs that webgpu can use; null for other backends. */
  readonly adapters: readonly Adapter[] | null;
}

interface Report {
  readonly node: string;
  readonly platform: string;
  readonly threads: number;
  /** The processor's vector instructions that backends use; null if unknown. */
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
  /** The optional package sharp: its version, and the formats that it decodes to Pillow's pixels; null without it. */
  readonly sharp: { readonly version: string; readonly formats: readonly string[] } | null;
  /** The value of CLIPSCOPE_BACKEND, if set. */
  readonly preset: string | null;
  /** The backend that "auto" chooses: the first that runs. */
  readonly auto: string | null;
  readonly backends: readonly BackendReport[];
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("doctor")
    .description("Check which backends run on this machine, why others do not, and how to get them.")
    .action(async (_options: unknown, self: Command) => {
      const report = await examine();
      const { json } = self.optsWithGlobals<{ json?: boolean }>();
      if (json === true) terminal.printJson(report);
      else terminal.printLines(describe(report));
    });
}

async function examine(): Promise<Report> {
  const backends: BackendReport[] = [];
  // One at a time: each uses all cores and several hundred megabytes while it starts.
  for (const [index, { name, title }] of nodeBackends.entries()) {
    const tried = await tryInChild(index);
    backends.push({
      backend: name,
      title,
      runs: tried.runs,
      description: tried.runs ? tried.description : tried.reason,
      startMs: tried.runs ? tried.startMs : null,
      rss: tried.runs ? tried.rss : null,
      precisions: tried.runs ? tried.precisions : null,
      adapters: tried.runs ? tried.adapters : null,
    });
  }
  const cache = cacheFolder();
  const sharp = await loadSharp();
  return {
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    threads: availableParallelism(),
    simd: vectorInstructions(),
    memory: { total: totalmem(), free: freemem() },
    gpu: { driver: hasNvidiaDriver(), devices: await gpuDevices(), libraries: gpuLibraries() },
    native: { cache, builds: nativeBuilds(cache).map(({ folder, manifest }) => ({ ...manifest, folder })) },
    sharp: sharp === undefined ? null : { version: sharp.version, formats: [...sharp.exact] },
    preset: process.env["CLIPSCOPE_BACKEND"] ?? null,
    auto: backends.find(({ runs, backend }) => runs && isTriedByAuto(backend))?.title ?? null,
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
      ? `it crashes with ${signal}: this processor may lack instructions that it needs (AVX)`
      : (/^\w*Error: .*$/m.exec(stderr ?? "")?.[0] ?? "it does not start");
    return { runs: false, reason };
  }
}

const instructions = [
  ...[
    "sse4_2",
    "avx",
    "avx2",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_tile",
    "amx_bf16",
    "amx_int8",
  ],
  ...["asimd", "sve", "bf16", "i8mm"],
];

/** Linux only. */
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

/** The driver's and CUDA's libraries in the folders that the dynamic linker searches. */
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
  const libraries = Object.entries(gpu.libraries).map(([name, path]) => `${name} ${path ?? "not found"}`);
  const builds = native.builds.map(
    ({ tensorflow, gpu: isGpu, source }) =>
      `TensorFlow ${tensorflow}${isGpu ? " for GPUs" : ""}, from ${source}`,
  );
  const fields = layOutFields([
    ["Node", `${report.node} on ${report.platform}, ${report.threads} threads`],
    ["SIMD", report.simd === null ? "unknown" : report.simd.join(" ")],
    ["memory", `${byteSize(memory.total)}, ${byteSize(memory.free)} free`],
    ["GPU", gpu.devices.length > 0 ? gpu.devices.join("; ") : gpuAbsence(gpu.driver)],
    ["", libraries.join(", ")],
    ["images", decoders(report.sharp)],
    ["native", native.cache],
    ...(builds.length > 0 ? builds : ['no build; "clipscope native" makes one']).map(
      (line): [string, string] => ["", line],
    ),
  ]);
  const backends = report.backends.map(({ backend, title, runs, description, startMs, rss }) =>
    startMs === null || rss === null || !runs
      ? `✗ ${backend}, ${title}: ${description}`
      : `✓ ${description}; ${title}, starts in ${startMs} ms, ${byteSize(rss)}`,
  );
  const precisions = report.backends.flatMap(({ backend, precisions }) =>
    Object.entries(precisions ?? {}).map(([name, how]) => `  --precision ${name} on ${backend}: ${how}`),
  );
  const adapters = report.backends.flatMap(({ backend, adapters }) =>
    (adapters ?? []).map(
      ({ name, maxStorageBufferBindingSize, maxBufferSize }) =>
        `  adapter of ${backend}: ${name}; weights of up to ${byteSize(Math.min(maxStorageBufferBindingSize, maxBufferSize))}`,
    ),
  );
  const preset = report.preset === null ? "" : `, but CLIPSCOPE_BACKEND is set to ${report.preset}`;
  return [
    ...fields,
    "",
    ...backends,
    ...precisions,
    ...adapters,
    "",
    `--backend auto chooses: ${report.auto ?? "nothing"}${preset}`,
  ];
}

function decoders(sharp: Report["sharp"]): string {
  if (sharp === null)
    return 'WebAssembly decodes JPEG and WebP; "npm install sharp" is faster for many images';
  if (sharp.formats.length === 0)
    return `sharp ${sharp.version} is not used: its pixels differ from Pillow's`;
  return `sharp ${sharp.version} decodes ${sharp.formats.join(" and ")} where there are many images`;
}

function gpuAbsence(driver: boolean): string {
  return driver
    ? "unknown: NVIDIA's driver is installed, but nvidia-smi reports nothing"
    : "none (no NVIDIA driver, no nvidia-smi)";
}
