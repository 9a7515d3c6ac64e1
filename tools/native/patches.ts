/**
 * Our own changes to tfjs-node's sources, made in our build's copy alone. Each replaces one exact passage: if a
 * version does not hold it, the build fails rather than go on without.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { coreHandoverName } from "../../lib/node/native-backend.ts";

interface Patch {
  /** Path below the package. */
  readonly file: string;
  readonly why: string;
  readonly find: string;
  readonly replace: string;
}

export const patches: readonly Patch[] = [
  {
    file: "binding/tfjs_backend.cc",
    why: "An attribute may be a list of strings: _FusedMatMul's fused_ops is one. Upstream passes one string only.",
    find: `    case TF_ATTR_STRING: {
`,
    replace: `    case TF_ATTR_STRING: {
      if (IsArray(env, nstatus, &js_value)) {
        uint32_t length;
        nstatus = napi_get_array_length(env, js_value, &length);
        ENSURE_NAPI_OK(env, nstatus);
        std::vector<std::string> strings(length);
        std::vector<const void *> values(length);
        std::vector<size_t> lengths(length);
        for (uint32_t i = 0; i < length; ++i) {
          napi_value element;
          nstatus = napi_get_element(env, js_value, i, &element);
          ENSURE_NAPI_OK(env, nstatus);
          nstatus = GetStringParam(env, element, strings[i]);
          ENSURE_NAPI_OK(env, nstatus);
          values[i] = strings[i].data();
          lengths[i] = strings[i].size();
        }
        TFE_OpSetAttrStringList(tfe_op, attr_name, values.data(),
                                lengths.data(), static_cast<int>(length));
        break;
      }
`,
  },
];

/** Files of ours that stand in for, or beside, the package's. */
export const ownFiles: Readonly<Record<string, string>> = {
  // tfjs-node asks for the union package (layers, data, WebGL); its kernels use nothing beyond tfjs-core's
  // exports, and get the very tfjs-core that the rest of the program runs on.
  "node_modules/@tensorflow/tfjs/index.js": handover(),
  "node_modules/@tensorflow/tfjs-core/index.js": handover(),
  // Protocol buffers for TensorBoard's summaries, which would bring google-protobuf along.
  "dist/proto/api_pb.js": '"use strict";\n',
  "binding/quiet.cc": `// Moves standard error out of the way while TensorFlow is opened, and back. TensorFlow writes notices there
// from static constructors, before it has read its log level; Node itself cannot duplicate a descriptor.
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

/** Writes our files and makes our changes in an unpacked package. */
export async function patchSources(folder: string): Promise<void> {
  for (const [path, text] of Object.entries(ownFiles)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  for (const { file, find, replace } of patches) {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    if (text.split(find).length !== 2) {
      throw new Error(`${file}: the passage to be changed does not occur exactly once:\n${find}`);
    }
    await writeFile(
      path,
      text.replace(find, () => replace),
    );
  }
}
