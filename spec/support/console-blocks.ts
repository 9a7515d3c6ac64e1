/**
 * Examples in Markdown: a ```console block holds commands after `$ `, each followed by what it prints. `clipscope …`
 * (also `node bin/clipscope.js …`) runs in this process, `node dist/….js …` in its own.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { clipscope } from "./cli.ts";

const clipscopePrompt = /^\$ (?:npm ci && )?(?:clipscope|node bin\/clipscope\.js) /;
const programPrompt = /^\$ node (?=dist\/)/;
const block = /^```console\n(.*?)^```$/gms;

/** The page with the commands' current output. They run in the current working directory. */
export async function rerunExamples(markdown: string): Promise<string> {
  let page = "";
  let end = 0;
  for (const match of markdown.matchAll(block)) {
    page += `${markdown.slice(end, match.index)}\`\`\`console\n`;
    for (const line of match[1]!.split("\n")) {
      if (line.startsWith("$ ")) page += `${line}\n${await output(line)}`;
    }
    page += "```";
    end = match.index + match[0].length;
  }
  return page + markdown.slice(end);
}

/** Whether a page has commands to run. */
export function hasExamples(markdown: string): boolean {
  return markdown.includes("\n```console\n");
}

/** What a command prints: standard output, then standard error. */
async function output(line: string): Promise<string> {
  if (clipscopePrompt.test(line)) {
    const { stdout, stderr } = await clipscope(words(line.replace(clipscopePrompt, "")));
    return stdout + stderr;
  }
  if (programPrompt.test(line)) return runProgram(words(line.replace(programPrompt, "")));
  throw new Error(`the specs cannot run "${line}": expected clipscope … or node dist/…; use a sh block`);
}

async function runProgram(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args);
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (written.stderr += chunk.toString()));
  await once(child, "close");
  return written.stdout + written.stderr;
}

/** Splits a command into words like a shell, with the syntax that the examples use. */
function words(command: string): string[] {
  return Array.from(
    command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ([, double, single, bare]) => double ?? single ?? bare!,
  );
}
