import assert from "node:assert/strict";
import { tidy, zeros, type Rank } from "@tensorflow/tfjs-core";
import { assertPixels, assertRows } from "../../lib/clip/inputs.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { exampleConfig } from "../support/example-config.ts";

function refused(check: () => void, message: string): void {
  assert.throws(check, (error: unknown) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.message, message);
    return true;
  });
}

describe("assertPixels", () => {
  const check =
    (shape: [number, number, number, number], dtype: "float32" | "int32" = "float32") =>
    (): void => {
      tidy(() => {
        assertPixels(zeros<Rank.R4>(shape, dtype), exampleConfig, "encodeImage");
      });
    };

  it("takes any number of images of the config's size", () => {
    check([1, 3, 1, 2])();
    check([5, 3, 1, 2])();
  });

  it("refuses another shape, no images, and integers", () => {
    const expected = "encodeImage: expected pixels of the shape [B, 3, 1, 2]";
    refused(check([1, 3, 2, 1]), `${expected}, got [1,3,2,1]`);
    refused(check([1, 1, 2, 3]), `${expected}, got [1,1,2,3]`);
    refused(check([0, 3, 1, 2]), `${expected}, got [0,3,1,2]`);
    refused(check([1, 3, 1, 2], "int32"), "encodeImage: expected float32 pixels, normalised, got int32");
  });
});

describe("assertRows", () => {
  const check = (rows: number[][]) => (): void => {
    assertRows(rows, exampleConfig, "encodeTokens");
  };

  it("takes rows up to the context length", () => {
    check([[0], [0, 3, 4]])();
  });

  it("refuses no rows, rows beyond the context, and ids that are not whole numbers", () => {
    refused(check([]), "encodeTokens: expected at least one text, got none");
    refused(check([[0], [0, 1, 2, 3]]), "encodeTokens: row 1 has 4 ids, the context holds 3");
    const holds = "encodeTokens: row 1 of the token ids holds";
    for (const id of [5.5, NaN, Infinity, 2 ** 32 + 5]) {
      refused(check([[0], [0, id]]), `${holds} ${id}, expected whole numbers`);
    }
  });
});
