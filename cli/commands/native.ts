/** `clipscope native`: builds the TensorFlow backend, the fastest on a CPU. */
import type { Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import { cacheFolder } from "../../lib/node/native/native-build.ts";
import { buildNative, type BuildResult, removeNative } from "../../tools/native/build.ts";
import { defaultTensorflow, type Source } from "../../tools/native/sources.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options {
  readonly python?: string;
  readonly tensorflow?: string;
  readonly wheel?: string;
  readonly from?: string;
  readonly archive?: string;
  readonly gpu?: boolean;
  readonly force?: boolean;
  readonly remove?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("native")
    .description(
      "Build the TensorFlow backend, with libtensorflow from Python's TensorFlow or from a download.",
    )
    .option("--python <path>", "use the TensorFlow installed in this Python")
    .option("--tensorflow <version>", `install this version with pip (default: ${defaultTensorflow})`)
    .option("--wheel <file>", "use a TensorFlow wheel")
    .option("--from <dir>", "use a directory with libtensorflow and its include directory")
    .option("--archive <file-or-url>", "use a libtensorflow archive (.tar.gz)")
    .option("--gpu", "build for NVIDIA GPUs, with the CUDA libraries")
    .option("--force", "rebuild an existing build")
    .option("--remove", "remove all builds")
    .action(async (_options: unknown, self: Command) => {
      await native(self.optsWithGlobals(), terminal);
    });
}

async function native(options: Options, terminal: Terminal): Promise<void> {
  const { gpu = false, force = false, remove = false, json = false } = options;
  if (remove) {
    const removed = await removeNative();
    if (json) terminal.printJson({ removed });
    else if (removed.length > 0) terminal.print(`removed ${removed.join(", ")}`);
    else terminal.print(`nothing to remove in ${cacheFolder()}`);
    return;
  }
  const source = chooseSource(options);
  const result = await terminal.progress((progress) => buildNative({ source, gpu, force, progress }));
  const { build, checked } = result;
  if (json) {
    const { folder, manifest } = build;
    terminal.printJson({ ...manifest, folder, built: checked !== undefined, check: checked ?? null });
  } else terminal.print(describe(result));
}

function describe({ build, checked }: BuildResult): string {
  const { folder, manifest } = build;
  const name = `TensorFlow ${manifest.tensorflow}${manifest.gpu ? " for GPUs" : ""}`;
  if (checked === undefined) return `${name} is already built, in ${folder} (--force rebuilds it)`;
  const place = manifest.gpu && !checked.onGpu ? " (no GPU found: it runs on the CPU)" : "";
  return (
    `built ${name}${place} in ${folder}: matrix product at ${checked.gflops.toFixed(0)} GFLOP/s ` +
    `(wasm ${checked.wasmGflops.toFixed(0)}), relative L2 difference from wasm ${checked.relativeL2.toExponential(1)}`
  );
}

/** @throws InputError if the options name two sources. */
function chooseSource(options: Options): Source {
  const python = options.python ?? "python3";
  const version = options.tensorflow ?? defaultTensorflow;
  const named: Source[] = [];
  if (options.wheel !== undefined) named.push({ kind: "wheel", path: options.wheel });
  if (options.from !== undefined) named.push({ kind: "folder", path: options.from });
  if (options.archive !== undefined) named.push({ kind: "archive", source: options.archive });
  if (options.tensorflow !== undefined) named.push({ kind: "pip", python, version });
  const [source, other] = named;
  if (other !== undefined) {
    throw new InputError("expected only one source, from --wheel, --from, --archive or --tensorflow");
  }
  if (source !== undefined) return source;
  if (options.python !== undefined) return { kind: "python", python };
  // An installed TensorFlow rarely includes the CUDA libraries.
  return options.gpu === true ? { kind: "pip", python, version } : { kind: "auto", python, version };
}
