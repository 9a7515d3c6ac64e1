#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);

function fail(message) {
  console.error(`clipscope: ${message}`);
  process.exitCode = 2;
}

if (existsSync(main)) {
  import(main.href).catch((error) => fail(`${error.message}; is "npm install" done?`));
} else {
  fail('not built yet; run "npm run build" in the folder that holds its package.json');
}
