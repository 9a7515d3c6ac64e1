/** Which requests a server answers: from where, and who sends them. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Problem } from "../../serve/problem.ts";
import { ignoredHeader } from "../../serve/routes.ts";
import { isAllowedOrigin, refuse, type GuardRules } from "../http/guard.ts";
import { isAuthorized, isAuthorizedByPassword } from "../http/token.ts";

/**
 * Checks a request, and adds what lets an allowed origin read the answer.
 *
 * @param token that the request must carry; null for none
 * @returns false for the question that a browser asks before a request of another origin, which is answered here
 * @throws Problem for a request that is not answered
 */
export function admit(
  request: IncomingMessage,
  response: ServerResponse,
  rules: GuardRules,
  token: string | null,
): boolean {
  const refusal = refuse(request, rules);
  if (refusal !== null) throw new Problem(403, refusal.reason);
  const { method, headers } = request;
  const { origin, authorization } = headers;
  if ((rules.origins ?? []).length > 0) response.setHeader("Vary", "Origin");
  if (isAllowedOrigin(origin, rules)) {
    response.setHeader("Access-Control-Allow-Origin", origin!);
    response.setHeader("Access-Control-Expose-Headers", `${ignoredHeader}, Retry-After`);
    response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
    if (method === "OPTIONS") {
      answerPreflight(response);
      return false;
    }
  }
  if (token !== null) assertToken(authorization, token);
  return true;
}

/** Browsers send it without the token. Source: https://fetch.spec.whatwg.org/#cors-preflight-fetch */
function answerPreflight(response: ServerResponse): void {
  response.setHeader("Access-Control-Allow-Methods", "GET, POST");
  response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type");
  response.setHeader("Access-Control-Max-Age", "600");
  response.writeHead(204).end();
}

function assertToken(authorization: string | undefined, token: string): void {
  if (isAuthorized(authorization, token) || isAuthorizedByPassword(authorization, token)) return;
  throw new Problem(401, "expected the server's token: Authorization: Bearer TOKEN", {
    "WWW-Authenticate": 'Basic realm="clipscope", charset="UTF-8"',
  });
}
