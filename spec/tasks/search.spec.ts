import assert from "node:assert/strict";
import { tensor2d } from "@tensorflow/tfjs-core";
import { rank } from "../../lib/tasks/search.ts";
import { assertNear } from "../support/near.ts";

describe("rank", () => {
  it("orders by cosine similarity, and ties by their index", async () => {
    const query = tensor2d([[0.6, 0.8]]);
    const features = tensor2d([
      [1, 0],
      [0, 1],
      [0.6, 0.8],
      [0, 1],
    ]);
    const ranked = await rank(query, features);
    assert.deepEqual(
      ranked.map(({ index }) => index),
      [2, 1, 3, 0],
    );
    assertNear(
      ranked.map(({ similarity }) => similarity),
      [1, 0.8, 0.8, 0.6],
      1e-6,
    );
    query.dispose();
    features.dispose();
  });

  it("ranks features that are not normalised by their direction", async () => {
    const query = tensor2d([[6, 8]]);
    const features = tensor2d([
      [100, 0],
      [0.06, 0.08],
      [0, 20],
    ]);
    const ranked = await rank(query, features);
    assert.deepEqual(
      ranked.map(({ index }) => index),
      [1, 2, 0],
    );
    assertNear(
      ranked.map(({ similarity }) => similarity),
      [1, 0.8, 0.6],
      1e-6,
    );
    query.dispose();
    features.dispose();
  });

  it("rejects queries of several rows, and features of another width", async () => {
    const [one, two] = [tensor2d([[1, 0]]), tensor2d([[1], [0]])];
    const refused: [query: unknown, features: unknown, message: string][] = [
      [two, two, "rank: expected a query of the shape [1, embedDim], found [2,1]"],
      [one, two, "rank: expected features of the shape [B, 2], found [2,1]"],
      [undefined, one, "rank: expected a tensor of a query [1, embedDim], found undefined"],
    ];
    for (const [query, features, message] of refused) {
      await assert.rejects(rank(query as never, features as never), { name: "InputError", message });
    }
    one.dispose();
    two.dispose();
  });

  it("rejects similarities that are not finite", async () => {
    const [query, features] = [tensor2d([[1, 0]]), tensor2d([[NaN, 0]])];
    await assert.rejects(rank(query, features), /expected finite scores, found NaN/);
    query.dispose();
    features.dispose();
  });
});
