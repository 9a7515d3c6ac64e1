/** The server's token. It comes in the address that the server prints, and must not stay there: addresses are shared. */
import { signal } from "@preact/signals";

const key = "clipscope-token";

/** The token of this tab; empty without one, which the server refuses. */
export const token = signal(sessionStorage.getItem(key) ?? "");

/** Moves a token from the address (`#t=…`) to the tab's storage. @returns whether the address held one */
export function keepToken(): boolean {
  const [, found] = /^#t=([\w-]+)$/.exec(location.hash) ?? [];
  if (found === undefined) return false;
  sessionStorage.setItem(key, found);
  token.value = found;
  history.replaceState(null, "", location.pathname);
  return true;
}
