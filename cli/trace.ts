import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";
export function register(program: Command, _terminal: Terminal): void {
  program.command("trace");
}
