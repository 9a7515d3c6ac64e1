/** Keeps the static site in the browser, so that it opens without a connection. */

/** @param version of the site's files */
export async function keepOffline(version: string): Promise<void> {
  if (!("serviceWorker" in navigator)) return; // plain HTTP, or switched off
  // A browser may refuse to keep files: in a private window, or in another page's frame.
  await navigator.serviceWorker.register(`offline.js?v=${version}`).catch(() => undefined);
}
