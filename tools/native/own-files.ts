/** Files that replace files of tfjs-node, or are added to them. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { coreHandoverName } from "../../lib/node/native/native-backend.ts";

const ownFiles: Readonly<Record<string, string>> = {
  // tfjs-node requires the union package (layers, data, WebGL), but its kernels only use exports of tfjs-core. They get
  // the tfjs-core that the rest of the program uses.
  "node_modules/@tensorflow/tfjs/index.js": handover(),
  "node_modules/@tensorflow/tfjs-core/index.js": handover(),
  // Protocol buffers for TensorBoard's summaries, which would require google-protobuf.
  "dist/proto/api_pb.js": '"use strict";\n',
  "binding/quiet.cc": `// Redirects standard error while TensorFlow is opened. Its static constructors write notices before they read the log
// level, and Node has no function to duplicate a descriptor.
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

static int saved = -1;

static napi_value Silence(napi_env, napi_callback_info) {
  if (saved >= 0) return nullptr;
  int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nothing < 0) return nullptr;
  saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  if (saved >= 0) dup2(nothing, STDERR_FILENO);
  close(nothing);
  return nullptr;
}

static napi_value Restore(napi_env, napi_callback_info) {
  if (saved < 0) return nullptr;
  dup2(saved, STDERR_FILENO);
  close(saved);
  saved = -1;
  return nullptr;
}

NAPI_MODULE_INIT() {
  napi_value silence, restore;
  napi_create_function(env, "silence", NAPI_AUTO_LENGTH, Silence, nullptr, &silence);
  napi_create_function(env, "restore", NAPI_AUTO_LENGTH, Restore, nullptr, &restore);
  napi_set_named_property(env, exports, "silence", silence);
  napi_set_named_property(env, exports, "restore", restore);
  return exports;
}
`,
};

function handover(): string {
  return `"use strict";\nmodule.exports = globalThis[Symbol.for(${JSON.stringify(coreHandoverName)})];\n`;
}

/** Writes these files into the unpacked package. */
export async function addOwnFiles(folder: string): Promise<void> {
  for (const [path, text] of Object.entries(ownFiles)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
