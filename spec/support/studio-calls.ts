/** Questions to a studio's server, as the page asks them. */
import { decodeWire, encodeWire } from "../../lib/studio/wire.ts";

/** A line of an answer. */
export interface Line {
  readonly queued?: number;
  readonly progress?: readonly [done: number, total: number];
  readonly update?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string; readonly isInput: boolean };
}

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** Receives each line when it arrives. */
  readonly onLine?: (line: Line) => void;
}

/** A server's address without the token, and its token. */
export function addressOf(url: string): { readonly root: string; readonly token: string } {
  const [root = "", token = ""] = url.split("#t=");
  return { root, token };
}

/** @param url as the server prints it @returns the lines @throws Error for another status than 200 */
export async function ask(
  url: string,
  name: string,
  params: unknown,
  { signal, onLine }: AskOptions = {},
): Promise<Line[]> {
  const { root, token } = addressOf(url);
  const response = await fetch(`${root}api/calls/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: encodeWire(params),
    ...(signal && { signal }),
  });
  if (!response.ok) throw new Error(`${name}: status ${response.status}: ${await response.text()}`);
  const lines: Line[] = [];
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      const line = decodeWire(part) as Line;
      lines.push(line);
      onLine?.(line);
    }
  }
  return lines;
}
