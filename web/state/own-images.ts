/** The user's images, kept in the browser's own database so that an address still finds them after a reload. */

export interface OwnImage {
  /** SHA-256 of the file, in hexadecimal digits. */
  readonly sha: string;
  readonly name: string;
  readonly blob: Blob;
}

const storeName = "images";

export async function allOwnImages(): Promise<OwnImage[]> {
  return inStore("readonly", (store) => store.getAll() as IDBRequest<OwnImage[]>);
}

export async function keepOwnImage(image: OwnImage): Promise<void> {
  await inStore("readwrite", (store) => store.put(image));
}

export async function forgetOwnImage(sha: string): Promise<void> {
  await inStore("readwrite", (store) => store.delete(sha) as IDBRequest<unknown>);
}

export async function shaOf(blob: Blob): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function inStore<T>(
  mode: IDBTransactionMode,
  use: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const database = await open();
  try {
    return await settled(use(database.transaction(storeName, mode).objectStore(storeName)));
  } finally {
    database.close();
  }
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open("clipscope", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(storeName, { keyPath: "sha" });
  };
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("the browser's database failed"));
    };
  });
}
