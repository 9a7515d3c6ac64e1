/** Headers of every answer. There are none that let other origins read it. */
const common: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/**
 * The headers of every answer of a server.
 *
 * @param sources what its page may load and run, beyond which nothing is allowed: directives of a content security policy
 */
export function securityHeaders(sources: readonly string[]): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    ...sources,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { "Content-Security-Policy": policy.join("; "), ...common };
}
