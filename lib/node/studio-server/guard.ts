/**
 * Which requests the studio's server answers. It listens on this machine only, but every page in a browser can send
 * requests to this machine, directly or through a host name that resolves to it (DNS rebinding).
 */

/** A request as far as the guard reads it. Header names are in lower case, as Node's are. */
export interface GuardedRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: 403;
  readonly reason: string;
}

/**
 * Checks where a request comes from, before its path is read.
 *
 * The host is compared as a whole: a check for a part of it can be bypassed by a longer name.
 * @param port the server's own
 * @returns null if the request is answered
 */
export function refuse({ headers }: GuardedRequest, port: number): Refusal | null {
  const { host, origin, "sec-fetch-site": site } = headers;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
  if (typeof host !== "string" || !hosts.includes(host)) return forbidden("Host", host, hosts.join(", "));
  if (origin !== undefined && origin !== `http://${host}`) {
    return forbidden("Origin", origin, `http://${host}`);
  }
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return forbidden("Sec-Fetch-Site", site, "same-origin, none");
  }
  return null;
}

function forbidden(name: string, value: string | readonly string[] | undefined, expected: string): Refusal {
  return { status: 403, reason: `${name}: expected ${expected}, found ${JSON.stringify(value ?? null)}` };
}

const contentSecurityPolicy = [
  "default-src 'none'",
  // The network is WebAssembly; JavaScript's eval stays forbidden.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob: data:",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer. There are none that let other origins read it. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "Content-Security-Policy": contentSecurityPolicy,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};
