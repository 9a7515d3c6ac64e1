/** Indices of the demo model's images, and servers of them. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import assert from "node:assert/strict";
import type { Clip } from "../../lib/clip/clip.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { serveIndices, type RunningServer } from "../../lib/node/serve/serve-indices.ts";
import type { ServeOptions } from "../../lib/node/serve/serve-options.ts";
import { clipscope } from "./cli.ts";
import { imageFolder, imageShard } from "./index-folder.ts";

/** Rows of the index `shards`, the odd ones with captions of other images. */
export const shardRows = 24;

/** Two indices: `photos` of a folder, and `shards` of a tar with captions and metadata. */
export interface ServedFolders {
  readonly path: string;
  readonly photos: string;
  readonly shards: string;
  /** The folder of the images of `photos`. */
  readonly images: string;
}

export interface Served extends RunningServer {
  readonly url: string;
  /** What was reported to the server's operator. */
  readonly errors: readonly unknown[];
}

/** The indices, built once for the specs of a describe block. */
export function servedFolders(): ServedFolders {
  const path = mkdtempSync(join(tmpdir(), "clipscope-serve-"));
  const folders = {
    path,
    photos: join(path, "photos"),
    shards: join(path, "shards"),
    images: join(path, "images"),
  };
  before(async () => {
    imageFolder(folders.images);
    mkdirSync(join(path, "tars"));
    const tar = imageShard(join(path, "tars", "00000.tar"), 0, shardRows);
    await built(folders.images, "--out", folders.photos);
    await built(tar, "--out", folders.shards, "--captions");
  });
  after(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return folders;
}

async function built(...args: readonly string[]): Promise<void> {
  const { status, stderr } = await clipscope(["index", "build", ...args]);
  assert.equal(status, 0, stderr);
}

let model: Promise<Clip> | undefined;

/** The demo model, loaded once. */
export function servedModel(): Promise<Clip> {
  model ??= loadModel(demoModel);
  return model;
}

/** A server of these folders with the defaults of `clipscope serve`. */
export async function startServer(
  folders: readonly string[],
  options: Partial<ServeOptions> = {},
): Promise<Served> {
  const errors: unknown[] = [];
  const server = await serveIndices(await servedModel(), basename(demoModel), {
    folders,
    port: 0,
    page: false,
    onError: (error) => errors.push(error),
    ...options,
  });
  return { ...server, url: `http://127.0.0.1:${server.port}/`, errors };
}

/** The status, and the document of an answer. */
export async function post(
  url: string,
  body: unknown,
): Promise<{ readonly status: number; readonly document: unknown; readonly headers: Headers }> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return { status: response.status, document: await response.json(), headers: response.headers };
}
