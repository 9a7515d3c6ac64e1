/** `clipscope native`: builds the TensorFlow backend, the fastest on a CPU. */
import type { Command } from "commander";

import { InputError } from "../../lib/errors/input-error.ts";
import { cacheFolder } from "../../lib/node/native/native-build.ts";
import { buildNative, type BuildResult, removeNative } from "../../tools/native/build.ts";
import { defaultTensorflow, type Source } from "../../tools/native/sources.ts";

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

export function register(program: Command): void {
  program
    .command("native")
    .description("build the TensorFlow backend (libtensorflow from Python's TensorFlow or a download)")
    .option("--python <path>", "take the TensorFlow installed in this Python")
    .option("--tensorflow <version>", `have pip fetch this version (default: ${defaultTensorflow})`)
    .option("--wheel <file>", "take it from a TensorFlow wheel")
    .option("--from <dir>", "take it from a folder with libtensorflow and its include folder")
    .option("--archive <file-or-url>", "take it from a libtensorflow archive (.tar.gz)")
    .option("--gpu", "a build for NVIDIA GPUs, with CUDA's libraries")
    .option("--force", "build again")
    .option("--remove", "remove what was built")
    .action(async (_options: Options, command: Command) => {
      await native(command.optsWithGlobals<Options>());
    });
}

async function native(options: Options): Promise<void> {
  if (options.remove === true) {
    const removed = await removeNative();
    const line =
      removed.length > 0 ? `removed ${removed.join(", ")}` : `nothing to remove in ${cacheFolder()}`;
    console.log(options.json === true ? JSON.stringify({ removed }) : line);
    return;
  }
  const line = statusLine();
  let result: BuildResult;
  try {
    result = await buildNative({
      source: chooseSource(options),
      gpu: options.gpu === true,
      force: options.force === true,
      progress: line.show,
    });
  } finally {
    line.clear();
  }
  const { folder, manifest } = result.build;
  if (options.json === true) {
    console.log(
      JSON.stringify({
        ...manifest,
        folder,
        built: result.checked !== undefined,
        check: result.checked ?? null,
      }),
    );
  } else {
    console.log(sentence(result));
  }
}

function sentence({ build, checked }: BuildResult): string {
  const { folder, manifest } = build;
  const name = `TensorFlow ${manifest.tensorflow}${manifest.gpu ? " for GPUs" : ""}`;
  if (checked === undefined) return `${name} is built already, in ${folder} (--force builds it again)`;
  const place = manifest.gpu && !checked.onGpu ? " (no GPU found here: it runs on the CPU)" : "";
  return (
    `built ${name}${place} in ${folder}: matrix product ${checked.gflops.toFixed(0)} GFLOP/s ` +
    `(wasm ${checked.wasmGflops.toFixed(0)}), ${checked.relativeL2.toExponential(1)} from wasm's`
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
    throw new InputError("--wheel, --from, --archive and --tensorflow each name a source; give one of them");
  }
  if (source !== undefined) return source;
  if (options.python !== undefined) return { kind: "python", python };
  // An installed TensorFlow seldom has CUDA's libraries beside it.
  return options.gpu === true ? { kind: "pip", python, version } : { kind: "auto", python, version };
}

/** One line on a terminal that is written over; nothing where standard error is none. */
function statusLine(): { show: (text: string) => void; clear: () => void } {
  const { stderr } = process;
  const write = (text: string): void => {
    if (stderr.isTTY) stderr.write(`\r\x1b[K${text.slice(0, stderr.columns - 1)}`);
  };
  return {
    show: write,
    clear: () => {
      write("");
    },
  };
}
