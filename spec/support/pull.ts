/** Shared by the specs of `pull`: a hub, an empty cache, and the environment variables for both. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { InputError } from "../../lib/errors/input-error.ts";
import { pullModel, type PullOptions, type PullReport } from "../../lib/node/hub/pull.ts";
import type { Fault } from "./hub-server.ts";
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
  /** The path of a blob of the demo model. Default: of its weights. */
  blob(digest?: string): string;
  /** The partial file of the demo model's weights. */
  partial(): string;
  /** Applies faults to the next requests for the bytes of large files, one per request. */
  disturbDownloads(...faults: Fault[]): void;
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
    blob: (digest = weightsDigest) => folder.file("hub", "models--clipscope--demo", "blobs", digest),
    partial() {
      return `${this.blob()}.clipscope.incomplete`;
    },
    disturbDownloads: (...faults) => {
      hub.fault = ({ at }) => (at === "cdn" ? faults.shift() : undefined);
    },
  };
}

export const demo = "clipscope/demo";
export const weightsName = "open_clip_model.safetensors";

/** The demo model as a repository, with additional files that are not needed. */
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

/** The work must fail with an InputError whose message matches all patterns. */
export async function assertRefused(work: Promise<unknown>, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof InputError, String(error));
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

export const quickRetries = { maxAttempts: 3, initialDelay: 1, idleTimeout: 20_000 };

export function pull(name: string, options: PullOptions = {}): Promise<PullReport> {
  return pullModel(name, { retryPolicy: quickRetries, ...options });
}

export const weights = Buffer.from(demoFiles[weightsName]!);
/** SHA-256 of the demo model's weights, as `sha256sum` prints it. */
export const weightsDigest = "ac58b776f5b28bdd3d2edd5ea1f23503e075986c2b5605fc939d44ba180ddb3e";
