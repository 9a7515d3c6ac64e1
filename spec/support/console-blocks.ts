/**
 * Examples in Markdown: a ```console block holds commands after `$ `, each followed by what it prints. `clipscope …`
 * (also `node bin/clipscope.js …`) runs in this process, `node dist/….js …` in its own. `clipscope serve … &` runs until
 * the end of the page, and `curl` asks it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { clipscope } from "./cli.ts";
import { ConsoleServer } from "./console-server.ts";

const clipscopePrompt = /^\$ (?:npm ci && )?(?:clipscope|node bin\/clipscope\.js) /;
const serverPrompt = /^\$ clipscope (?=serve .* &$)/;
const curlPrompt = /^\$ curl /;
const programPrompt = /^\$ node (?=dist\/)/;
const block = /^```console\n(.*?)^```$/gms;

/** The page with the commands' current output. They run in the current working directory. */
export async function rerunExamples(markdown: string): Promise<string> {
  const server = new ConsoleServer();
  try {
    return await rerun(markdown, server);
  } finally {
    await server.stop();
  }
}

async function rerun(markdown: string, server: ConsoleServer): Promise<string> {
  let page = "";
  let end = 0;
  for (const match of markdown.matchAll(block)) {
    page += `${markdown.slice(end, match.index)}\`\`\`console\n`;
    for (const line of match[1]!.split("\n")) {
      if (line.startsWith("$ ")) page += `${line}\n${await output(line, server)}`;
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
async function output(line: string, server: ConsoleServer): Promise<string> {
  if (serverPrompt.test(line)) return server.start(words(line.replace(serverPrompt, "").replace(/ &$/, "")));
  if (curlPrompt.test(line)) return server.ask(words(line.replace(curlPrompt, "")));
  if (clipscopePrompt.test(line)) {
    const { stdout, stderr } = await clipscope(words(line.replace(clipscopePrompt, "")));
    return stdout + stderr;
  }
  if (programPrompt.test(line)) return runProgram(words(line.replace(programPrompt, "")));
  throw new Error(
    `the specs cannot run "${line}": expected clipscope …, curl -s … or node dist/…; use a sh block`,
  );
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
