/** A process that measures itself on request: clipscope or a peer. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { InputError } from "../lib/errors/input-error.ts";
import type { Hello, Reply, Request } from "./peers/protocol.ts";

export interface ParticipantCommand {
  /** Used in messages until the process has sent its name. */
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
}

export class Participant {
  readonly name: string;
  readonly version: string;
  readonly #kinds: Hello["kinds"];
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor({ name, version, kinds }: Hello, child: ChildProcess, lines: AsyncIterator<string>) {
    this.name = name;
    this.version = version;
    this.#kinds = kinds;
    this.#child = child;
    this.#lines = lines;
  }

  /** @throws InputError with the last line of its standard error, if the process ends before it answers */
  static async start({ title, command, args }: ParticipantCommand): Promise<Participant> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(-4000)));
    child.stdin.on("error", () => undefined); // the process has ended; the missing answer reports that
    const failed = new Promise<never>((_, reject) => {
      child.on("error", (error) => {
        reject(new InputError(`${title}: cannot start ${command} (${error.message})`));
      });
      child.on("close", () => {
        reject(new InputError(`${title}: ${errorLine(stderr)}`));
      });
    });
    failed.catch(() => undefined); // a process that ends after its last request is not an error
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const lines: AsyncIterator<string> = {
      next: async () => {
        const line = await Promise.race([answers.next(), failed]);
        return line.done === true ? failed : line;
      },
    };
    const hello = JSON.parse((await lines.next()).value as string) as Hello;
    return new Participant(hello, child, lines);
  }

  answers(kind: Request["kind"]): boolean {
    return this.#kinds.includes(kind);
  }

  /** @throws InputError if the process ends before it answers */
  async ask(request: Request): Promise<Reply> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    return JSON.parse((await this.#lines.next()).value as string) as Reply;
  }

  /** Ends the process and waits until its memory has been freed. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    await closed;
  }
}

/** The line of a program's standard error that names the error; else the last line. */
function errorLine(stderr: string): string {
  const lines = stderr.trim().split("\n");
  return (
    lines.findLast((line) => /^\w*(Error|Exit)( \[\w+\])?: /.test(line)) ?? (lines.at(-1) || "ended early")
  );
}
