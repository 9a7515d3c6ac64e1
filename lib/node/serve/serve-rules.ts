/** Which hosts and origins a server of indices answers. */
import { isIP } from "node:net";
import type { GuardRules } from "../http/guard.ts";

/** Whether only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

export interface Names {
  /** Where the server listens. */
  readonly host: string;
  /** Names that clients use besides, such as the one of a reverse proxy. */
  readonly allowedHosts: readonly string[];
  /** Origins of other servers whose pages may send requests and read the answers. */
  readonly allowedOrigins: readonly string[];
}

/**
 * The rules of a server.
 *
 * A name could be anyone's, whose page in a browser here would then read the answers (DNS rebinding): names are answered
 * only if they are given. Addresses cannot be rebound.
 */
export function serveRules({ host, allowedHosts, allowedOrigins }: Names): (port: number) => GuardRules {
  const own = ["127.0.0.1", "localhost", "[::1]", ...(isIP(host) === 0 ? [host] : [])];
  return (port) => ({
    hosts: [
      ...own.flatMap((name) => atPort(name, port)),
      ...allowedHosts.flatMap((name) => [name, `${name}:${port}`]),
    ],
    ...(!isLoopback(host) && { addressesAt: port }),
    // Behind a proxy the page's own origin has another port, and often another protocol.
    origins: [...allowedOrigins, ...allowedHosts.flatMap((name) => [`http://${name}`, `https://${name}`])],
  });
}

/** Clients leave out the default port. */
function atPort(name: string, port: number): string[] {
  return port === 80 ? [name, `${name}:80`] : [`${name}:${port}`];
}
