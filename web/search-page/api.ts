/** Requests to the server that sent the page. Addresses are relative to the page's. */
import type { Side } from "../../lib/serve/index-service.ts";

/** What `serve.json` tells of an index. */
export interface IndexInfo {
  readonly name: string;
  readonly rows: number;
  readonly sides: readonly Side[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export interface ServerInfo {
  readonly model: string;
  readonly indices: readonly IndexInfo[];
}

/** What is searched for: a text, an image, or the rows like one. */
export type Query = { readonly text: string } | { readonly file: File } | { readonly id: number };

export interface Search {
  readonly index: string;
  readonly side: Side;
  readonly query: Query;
  readonly where: string;
  readonly count: number;
}

/** A result: its id, similarity, and the columns that the server shows. */
export interface Result extends Readonly<Record<string, unknown>> {
  readonly id: number;
  readonly similarity: number;
}

export function readServer(): Promise<ServerInfo> {
  return ask("serve.json") as Promise<ServerInfo>;
}

/** @throws Error with the server's message */
export async function search(
  { index, side, query, where, count }: Search,
  signal: AbortSignal,
): Promise<readonly Result[]> {
  const term = "file" in query ? { image: await base64Of(query.file) } : query;
  const body = JSON.stringify({
    indice_name: index,
    modality: side,
    terms: [term],
    num_images: count,
    // The page asks for thumbnails one by one, when they are visible.
    return_images: false,
    ...(where !== "" && { where }),
  });
  return (await ask("knn-service", { method: "POST", body, signal })) as readonly Result[];
}

/** The address of a row's thumbnail. */
export function thumbnailUrl(index: string, id: number): string {
  return `thumb/${id}?${new URLSearchParams({ index }).toString()}`;
}

async function ask(path: string, init?: RequestInit): Promise<unknown> {
  const response = await fetch(path, init);
  const document: unknown = await response.json().catch(() => null);
  if (response.ok) return document;
  const { message } = (document ?? {}) as { readonly message?: string };
  throw new Error(message ?? `the server answered ${response.status}`);
}

function base64Of(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      resolve(reader.result as string);
    });
    reader.addEventListener("error", () => {
      reject(new Error("the file cannot be read"));
    });
    reader.readAsDataURL(file);
  });
}
