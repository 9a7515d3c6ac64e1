/**
 * `npm run test:webgpu`: runs the specs of the WebGPU backend on SwiftShader, a GPU in software that Debian's package
 * chromium contains with a loader of Vulkan drivers. `CLIPSCOPE_VULKAN` names another folder with both.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = process.env["CLIPSCOPE_VULKAN"] ?? "/usr/lib/chromium";
const driver = join(folder, "vk_swiftshader_icd.json");

if (!existsSync(driver)) {
  throw new Error(
    `${driver}: no Vulkan driver; install Chromium (apt-get install -y chromium), or set CLIPSCOPE_VULKAN to a folder with vk_swiftshader_icd.json and libvulkan.so.1`,
  );
}
const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
const { status } = spawnSync(process.execPath, [mocha, "--config", ".mocharc.webgpu.json"], {
  env: {
    ...process.env,
    CLIPSCOPE_BACKEND: "webgpu",
    LD_LIBRARY_PATH: folder, // the dynamic linker reads it when a process starts
    VK_DRIVER_FILES: driver,
    XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"] ?? tmpdir(),
  },
  stdio: "inherit",
});
process.exitCode = status ?? 1;
