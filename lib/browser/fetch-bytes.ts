import { InputError } from "../errors/input-error.ts";

/**
 * Loads a whole file.
 *
 * @param onProgress called with the bytes loaded so far, and the file's size if the server tells it
 * @throws InputError unless the server sends the file
 */
export async function fetchBytes(
  url: string,
  onProgress?: (loaded: number, total: number) => void,
): Promise<Uint8Array> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new InputError(`${url}: the server does not answer; check that it still runs`, [], {
      cause: error,
    });
  });
  if (!response.ok) {
    throw new InputError(
      `${url}: expected status 200, found ${response.status} ${response.statusText}`.trim(),
    );
  }
  if (onProgress === undefined || response.body === null) return new Uint8Array(await response.arrayBuffer());
  const total = Number(response.headers.get("Content-Length") ?? 0);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    loaded += value.length;
    onProgress(loaded, Math.max(total, loaded));
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
