#!/usr/bin/env node
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);

function fail(message) {
  console.error(`clipscope: ${message}`);
  process.exitCode = 2;
}

if (existsSync(main)) {
  import(main.href).catch((error) => fail(`${error.message}; run "npm install"`));
} else {
  fail('not built; run "npm run build" in the directory of its package.json');
}
