/** The secret that tells the page of this server from other programs and pages on this machine. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 random bits, in characters that an address may hold. */
export function newToken(): string {
  return randomBytes(32).toString("base64url");
}

/** Whether a header `Authorization` holds the token. Takes the same time for every wrong one. */
export function isAuthorized(authorization: string | undefined, token: string): boolean {
  return timingSafeEqual(digest(authorization ?? ""), digest(`Bearer ${token}`));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
