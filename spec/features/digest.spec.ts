import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { sha256OfJson } from "../../lib/features/digest.ts";

describe("sha256OfJson", () => {
  it("is Node's", async () => {
    const value = ["猫", { a: [1, null] }];
    assert.equal(await sha256OfJson(value), createHash("sha256").update(JSON.stringify(value)).digest("hex"));
  });
});
