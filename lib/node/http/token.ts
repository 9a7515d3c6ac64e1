/** The secret that tells the clients of a server from other programs and pages. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits, in characters that an address may hold. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Whether a header `Authorization` holds the token. Takes the same time for every wrong one. */
export function isAuthorized(authorization: string | undefined, token: string): boolean {
  return timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`));
}

/**
 * The same for clients that can only send a name and a password, such as those with `http://USER:TOKEN@HOST/` as their
 * address: the password is the token. Source: RFC 7617.
 */
export function isAuthorizedByPassword(authorization: string | undefined, token: string): boolean {
  const [, credentials] = /^Basic ([\w+/=]+)$/i.exec(authorization ?? "") ?? [];
  if (credentials === undefined) return false;
  const decoded = Buffer.from(credentials, "base64").toString("utf8");
  const password = decoded.slice(decoded.indexOf(":") + 1);
  return timingSafeEqual(digest(password), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
