/** The server's token. It comes in the address that the server prints, and must not stay there: addresses are shared. */

const key = "clipscope-token";

/** Moves the token from the address (`#t=…`) to the tab's storage. Runs before the address is read for other things. */
export function keepToken(): void {
  const [, token] = /^#t=([\w-]+)$/.exec(location.hash) ?? [];
  if (token === undefined) return;
  sessionStorage.setItem(key, token);
  history.replaceState(null, "", location.pathname);
}

/** The token of this tab; empty without one, which the server refuses. */
export function takeToken(): string {
  return sessionStorage.getItem(key) ?? "";
}

keepToken();
