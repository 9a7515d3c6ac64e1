/** The page as a figure of another page: `?embed=1`, with `&theme=light` or `&theme=dark` if it is to match that page. */
const options = new URLSearchParams(location.search);

/** Whether the page shows one view alone. */
export const isEmbedded = options.get("embed") === "1";

export const embeddedTheme = isEmbedded ? options.get("theme") : null;

/** HTML that shows the page's current view as a figure of another page. @param address of this page */
export function figureCode(address: string, title: string): string {
  const url = new URL(address);
  url.search = "?embed=1";
  return `<iframe src="${url.href.replaceAll("&", "&amp;")}" title="${title}" width="100%" height="720" loading="lazy"></iframe>`;
}

/** The address of the whole studio that shows the same. */
export function wholeAddress(address: string): string {
  const url = new URL(address);
  url.search = "";
  return url.href;
}
