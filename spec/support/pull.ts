/** What the specs of `pull` share: a hub, an empty cache, and an environment that knows of these two alone. */
import { readFileSync } from "node:fs";
import { clearedHubVariables, environment } from "./environment.ts";
import { HubServer } from "./hub-server.ts";
import { fixture } from "./paths.ts";
import { temporaryFolder } from "./temporary.ts";

export interface HubRoom {
  readonly hub: HubServer;
  /** The cache's folder of models. */
  cache(...parts: string[]): string;
  /** HF_HOME. */
  readonly home: string;
}

/** A hub and an empty cache for each spec of the describe block that calls this. */
export function hubRoom(): HubRoom {
  const folder = temporaryFolder();
  let hub: HubServer;
  beforeEach(async () => {
    hub = await HubServer.start();
  });
  environment(() => ({ ...clearedHubVariables, HF_ENDPOINT: hub.endpoint, HF_HOME: folder.path }));
  afterEach(() => hub.stop());
  return {
    get hub() {
      return hub;
    },
    get home() {
      return folder.path;
    },
    cache: (...parts) => folder.file("hub", ...parts),
  };
}

export const demo = "clipscope/demo";
export const weightsName = "open_clip_model.safetensors";

/** The demo model as a repository, with files that nobody needs. */
export const demoFiles: Readonly<Record<string, Uint8Array>> = {
  ...fromFixture("demo-model", [
    "open_clip_config.json",
    "sentencepiece.bpe.model",
    "text/config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    weightsName,
  ]),
  "README.md": Buffer.from("hello\n"),
  "open_clip_pytorch_model.bin": new Uint8Array(200_000),
};

export function fromFixture(folder: string, names: readonly string[]): Record<string, Uint8Array> {
  return Object.fromEntries(names.map((name) => [name, readFileSync(fixture(`${folder}/${name}`))]));
}
