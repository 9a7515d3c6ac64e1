/** The participant's side of the protocol: answers requests from standard input until it ends. */
import { createInterface } from "node:readline";
import type { Hello, Reply, Request } from "./protocol.ts";

export type Answers = {
  readonly [Kind in Request["kind"]]?: (request: Extract<Request, { kind: Kind }>) => Promise<Reply>;
};

export async function serve(identity: Omit<Hello, "kinds">, answers: Answers): Promise<void> {
  const write = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
  write({ ...identity, kinds: Object.keys(answers) });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as Request;
    const answer = answers[request.kind] as ((request: Request) => Promise<Reply>) | undefined;
    if (answer === undefined) throw new Error(`${identity.name} does not answer ${request.kind}`);
    write(await answer(request));
  }
}
