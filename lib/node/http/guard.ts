/**
 * Which requests a server answers. Every page in a browser can send requests to a server that the browser can reach,
 * directly or through a host name that resolves to it (DNS rebinding).
 */
import { isIP } from "node:net";

/** A request as far as the guard reads it. Header names are in lower case, as Node's are. */
export interface GuardedRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: 403;
  readonly reason: string;
}

/** Who may send requests. */
export interface GuardRules {
  /** The values of the header `Host` that are answered, each compared as a whole; with their ports. */
  readonly hosts: readonly string[];
  /** Whether the host may also be any IP address with this port: an address cannot be rebound. */
  readonly addressesAt?: number;
  /** Other origins whose pages may send requests and read the answers. */
  readonly origins?: readonly string[];
}

/** The rules of a server that only this machine uses. @param port its own */
export function loopbackRules(port: number): GuardRules {
  return { hosts: [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`] };
}

/**
 * Checks where a request comes from, before its path is read.
 *
 * The host is compared as a whole: a check for a part of it can be bypassed by a longer name.
 * @returns null if the request is answered
 */
export function refuse({ headers }: GuardedRequest, rules: GuardRules): Refusal | null {
  const { host, origin, "sec-fetch-site": site } = headers;
  if (typeof host !== "string" || !isHost(host, rules)) return forbidden("Host", host, rules.hosts);
  if (origin !== undefined && isAllowedOrigin(origin, rules)) return null;
  if (origin !== undefined && origin !== `http://${host}`) {
    return forbidden("Origin", origin, [`http://${host}`, ...(rules.origins ?? [])]);
  }
  if (site !== undefined && site !== "same-origin" && site !== "none") {
    return forbidden("Sec-Fetch-Site", site, ["same-origin", "none"]);
  }
  return null;
}

/** Whether the header `Origin` names one of the other origins that the rules allow. */
export function isAllowedOrigin(
  origin: string | readonly string[] | undefined,
  { origins = [] }: GuardRules,
): boolean {
  return typeof origin === "string" && origins.includes(origin);
}

function isHost(host: string, { hosts, addressesAt }: GuardRules): boolean {
  if (hosts.includes(host)) return true;
  if (addressesAt === undefined || !host.endsWith(`:${addressesAt}`)) return false;
  const name = host.slice(0, -`:${addressesAt}`.length);
  return isIP(name) === 4 || (/^\[.*\]$/.test(name) && isIP(name.slice(1, -1)) === 6);
}

function forbidden(
  name: string,
  value: string | readonly string[] | undefined,
  expected: readonly string[],
): Refusal {
  const found = JSON.stringify(value ?? null);
  return { status: 403, reason: `${name}: expected ${expected.join(", ")}, found ${found}` };
}
