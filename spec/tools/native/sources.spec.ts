import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { create } from "tar";

import { fetchLibrary, parseCudaRequirements, type Source } from "../../../tools/native/sources.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { zip } from "../../support/zip.ts";

const elf = "\x7fELF and so on";

/** The members of a wheel, small. */
const wheel = {
  "tensorflow/libtensorflow_cc.so.2": `${elf}, the C API`,
  "tensorflow/libtensorflow_framework.so.2": elf,
  "tensorflow/python/keras.py": "import this",
  "tensorflow/include/tensorflow/c/c_api.h": "// C",
  "tensorflow/include/tensorflow/c/eager/c_api.h": "// eager",
  "tensorflow/include/xla/tsl/c/tsl_status.h": "// status",
  "tensorflow/include/absl/base/config.h": "// not needed",
  "nvidia/cublas/lib/libcublas.so.12": elf,
  "nvidia/cublas/include/cublas.h": "// not needed",
};

function without(...names: string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(wheel).filter(([name]) => !names.includes(name)));
}

describe("sources of libtensorflow (Linux's names)", function () {
  if (process.platform !== "linux") return;
  const scratch = temporaryFolder();

  function put(members: Readonly<Record<string, string>>, rename = (name: string): string => name): void {
    for (const [name, content] of Object.entries(members)) {
      const path = scratch.file("given", rename(name));
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content, "latin1");
    }
  }

  function fetch(source: Source): ReturnType<typeof fetchLibrary> {
    const [work, site] = [scratch.file("work"), scratch.file("site")];
    return fetchLibrary(source, { gpu: false, work, site, progress: () => undefined });
  }

  function files(folder: string): string[] {
    return readdirSync(scratch.file(folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
      .sort();
  }

  function wheelFile(content: Buffer): Source {
    const path = scratch.file("tensorflow_cpu-2.21.0-cp311-cp311-linux_x86_64.whl");
    writeFileSync(path, content);
    return { kind: "wheel", path };
  }

  it("unpacks the libraries, CUDA's libraries and the needed headers of a wheel", async () => {
    const library = await fetch(wheelFile(zip(wheel)));
    assert.deepEqual(files("site"), [
      "libcublas.so.12",
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so.2",
    ]);
    assert.deepEqual(files("work/include"), ["c_api.h", "c_api.h", "tsl_status.h"]);
    assert.equal(library.main, "libtensorflow_cc.so.2");
    assert.match(readFileSync(scratch.file("site/tensorflow/libtensorflow_cc.so.2"), "utf8"), /C API/);
  });

  it("refuses a wheel that is cut short", async () => {
    const whole = zip(wheel);
    await assert.rejects(fetch(wheelFile(whole.subarray(0, whole.length - 40))), {
      name: "InputError",
      message: /is not a complete wheel file \(.*\); download it again$/,
    });
  });

  it("refuses a wheel with a damaged member", async () => {
    const damaged = zip(wheel);
    damaged.write("X", damaged.indexOf("the C API"));
    await assert.rejects(fetch(wheelFile(damaged)), {
      name: "InputError",
      message: /is not a complete wheel file/,
    });
  });

  it("refuses a wheel that is too old to contain libtensorflow_cc", async () => {
    await assert.rejects(fetch(wheelFile(zip(without("tensorflow/libtensorflow_cc.so.2")))), {
      name: "InputError",
      message:
        /does not contain libtensorflow_cc or libtensorflow; expected Python's TensorFlow 2.11 or later/,
    });
  });

  it("unpacks no member outside the folder", async () => {
    await assert.rejects(
      fetch(wheelFile(zip({ ...wheel, "tensorflow/include/../../../../tensorflow/c/x.h": "" }))),
      {
        name: "InputError",
      },
    );
  });

  it("refuses a missing file", async () => {
    for (const source of [
      { kind: "wheel", path: scratch.file("absent.whl") },
      { kind: "folder", path: scratch.file("absent") },
      { kind: "archive", source: scratch.file("absent.tar.gz") },
    ] as const) {
      await assert.rejects(fetch(source), { name: "InputError", message: /absent.* does not exist/ });
    }
  });

  it("copies from the folder of an installed package", async () => {
    put(wheel);
    const library = await fetch({ kind: "folder", path: scratch.file("given/tensorflow") });
    assert.equal(library.main, "libtensorflow_cc.so.2");
    assert.deepEqual(files("site"), ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]);
  });

  it("refuses a folder without libraries, without headers, or with a damaged library", async () => {
    const source: Source = { kind: "folder", path: scratch.file("given") };
    mkdirSync(scratch.file("given"));
    await assert.rejects(fetch(source), {
      name: "InputError",
      message: /does not contain libtensorflow; expected/,
    });
    put({ "libtensorflow.so": elf, "libtensorflow_framework.so": elf });
    await assert.rejects(fetch(source), {
      name: "InputError",
      message: /does not contain include\/tensorflow\/c\/c_api.h/,
    });
    put({ "include/tensorflow/c/c_api.h": "", "include/tensorflow/c/eager/c_api.h": "" });
    await fetch(source);
  });

  it("refuses a folder whose library is a failed download", async () => {
    put({ ...wheel, "tensorflow/libtensorflow_cc.so.2": "<html>404</html>" });
    await assert.rejects(fetch({ kind: "folder", path: scratch.file("given/tensorflow") }), {
      name: "InputError",
      message: /^libtensorflow_cc.so.2 from .* is not a shared library/,
    });
  });

  it("unpacks the C library's archive", async () => {
    put({
      "lib/libtensorflow.so.2.9.1": elf,
      "lib/libtensorflow_framework.so.2.9.1": elf,
      "include/tensorflow/c/c_api.h": "",
      "include/tensorflow/c/eager/c_api.h": "",
    });
    // As in the real archive, "libtensorflow.so" is a link to a link.
    const { symlinkSync } = await import("node:fs");
    for (const stem of ["libtensorflow", "libtensorflow_framework"]) {
      symlinkSync(`${stem}.so.2.9.1`, scratch.file("given/lib", `${stem}.so.2`));
      symlinkSync(`${stem}.so.2`, scratch.file("given/lib", `${stem}.so`));
    }
    const path = scratch.file("libtensorflow.tar.gz");
    await create({ file: path, gzip: true, cwd: scratch.file("given") }, ["."]);
    const library = await fetch({ kind: "archive", source: path });
    assert.equal(library.main, "libtensorflow.so.2");
    assert.deepEqual(files("site"), ["libtensorflow.so.2", "libtensorflow_framework.so.2"]);

    writeFileSync(path, readFileSync(path).subarray(0, 100));
    await assert.rejects(fetch({ kind: "archive", source: path }), {
      name: "InputError",
      message: /is not a complete .tar.gz file/,
    });
  });

  it("names a missing Python", async () => {
    const python = scratch.file("no-python");
    for (const kind of ["auto", "pip"] as const) {
      await assert.rejects(fetch({ kind, python, version: "2.21.0" }), {
        name: "InputError",
        message: `${python} was not found; choose a Python with --python, or provide libtensorflow with --wheel, --from or --archive`,
      });
    }
  });
});

describe("parseCudaRequirements", () => {
  it("lists the CUDA wheels that the TensorFlow wheel requires", () => {
    const metadata = [
      "Requires-Dist: numpy>=1.26.0",
      'Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"',
      'Requires-Dist: nvidia-nccl-cu12 (==2.21.5) ; extra == "and-cuda"',
      'Requires-Dist: other; extra == "and-cuda"',
    ].join("\n");
    assert.deepEqual(parseCudaRequirements(metadata), [
      "nvidia-cublas-cu12<13.0,>=12.5.3.2",
      "nvidia-nccl-cu12==2.21.5",
    ]);
  });
});
