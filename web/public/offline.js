/**
 * The service worker of the static site: after the first visit the studio opens without a connection.
 *
 * The site's files are kept when the worker is installed. Files with a digest in their name never change and are taken
 * from the cache; others are fetched, so that a new site is seen at once, and taken from the cache when that fails.
 */
const version = new URL(location.href).searchParams.get("v");
const name = `clipscope-studio-${registration.scope}`;
const cacheName = `${name} ${version}`;

addEventListener("install", (event) => {
  event.waitUntil(keepAll().then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(forgetOldSites().then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const isOurs = request.method === "GET" && request.url.startsWith(registration.scope);
  if (isOurs && !request.headers.has("range")) event.respondWith(answer(request));
});

async function keepAll() {
  const response = await fetch("files.json", { cache: "no-store" });
  const { files } = await response.json();
  const cache = await caches.open(cacheName);
  await cache.addAll(files.map((file) => new Request(file, { cache: "no-cache" })));
}

async function forgetOldSites() {
  for (const key of await caches.keys()) {
    if (key.startsWith(`${name} `) && key !== cacheName) await caches.delete(key);
  }
}

async function answer(request) {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(request, { ignoreSearch: true });
  const neverChanges = request.url.startsWith(`${registration.scope}assets/`);
  if (kept !== undefined && neverChanges) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (kept === undefined) throw error;
    return kept;
  }
}
