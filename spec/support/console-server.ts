/** The server of a page's examples: `clipscope serve DIR &`, and `curl -s ADDRESS [-d BODY]`, which asks it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** The address on the pages. The server has any free port, because that one may be in use. */
const shown = "http://127.0.0.1:1234/";

export class ConsoleServer {
  #child: ChildProcess | undefined;
  #url = "";

  /** @param args of `clipscope`, without the sign that puts it into the background @returns what it prints */
  async start(args: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, ["bin/clipscope.js", ...args, "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    let text = "";
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      text += chunk.toString();
      const [, url] = /^Listening on (\S+) .*\n/m.exec(text) ?? [];
      if (url === undefined) continue;
      this.#url = url;
      return text.replace(url, shown);
    }
    throw new Error(`${args.join(" ")}: the server has not started; it printed "${text}"`);
  }

  /** @param args of curl @returns the answer, which ends with a line break */
  async ask(args: readonly string[]): Promise<string> {
    const [silent, address, data, body, ...others] = args;
    const isKnown =
      silent === "-s" && address?.startsWith(shown) && (data ?? "-d") === "-d" && others.length === 0;
    if (isKnown !== true)
      throw new Error(`the specs cannot run curl ${args.join(" ")}: expected -s ${shown}… [-d BODY]`);
    const url = this.#url + address!.slice(shown.length);
    const response = await fetch(url, body === undefined ? {} : { method: "POST", body });
    return `${(await response.text()).trimEnd()}\n`;
  }

  async stop(): Promise<void> {
    if (this.#child === undefined) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exit;
  }
}
