import assert from "node:assert/strict";
import { InputError } from "../../../lib/errors/input-error.ts";
import { retry, TransientError } from "../../../lib/node/hub/retry.ts";

const policy = { maxAttempts: 3, initialDelay: 2, idleTimeout: 1000 };

/** Fails with the given errors in turn, then succeeds. Counts the attempts. */
function attempts(...errors: Error[]) {
  const made = { count: 0, waits: [] as string[] };
  const attempt = (): Promise<string> => {
    made.count += 1;
    const error = errors.shift();
    return error === undefined ? Promise.resolve("done") : Promise.reject(error);
  };
  const { signal } = new AbortController();
  return { made, attempt, options: { onWait: (reason: string) => made.waits.push(reason), signal } };
}

const dropped = (): Error => new TransientError("hub: the connection failed");

describe("retry", () => {
  it("repeats an attempt after transient errors", async () => {
    const { made, attempt, options } = attempts(dropped(), dropped());
    assert.equal(await retry(attempt, policy, options), "done");
    assert.equal(made.count, 3);
    assert.deepEqual(made.waits, new Array(2).fill("hub: the connection failed; trying again in 1 s"));
  });

  it("gives up after maxAttempts failures in a row", async () => {
    const { made, attempt, options } = attempts(dropped(), dropped(), dropped());
    await assert.rejects(
      retry(attempt, policy, options),
      (error) => error instanceof InputError && /^hub: the connection failed, 3 times; /.test(error.message),
    );
    assert.equal(made.count, 3);
  });

  it("does not count failures before progress", async () => {
    const { made, attempt, options } = attempts(dropped(), dropped(), dropped(), dropped());
    await retry(attempt, policy, { ...options, hasProgressed: () => true });
    assert.equal(made.count, 5);
  });

  it("throws other errors at once", async () => {
    const { made, attempt, options } = attempts(new InputError("not found"));
    await assert.rejects(retry(attempt, policy, options), /not found/);
    assert.equal(made.count, 1);
  });

  it("waits as long as the server requests", async () => {
    const { attempt, options } = attempts(new TransientError("busy", { retryAfter: 50 }));
    const start = performance.now();
    await retry(attempt, policy, options);
    assert.ok(performance.now() - start >= 49);
  });
});
