import assert from "node:assert/strict";
import { scalar, tensor2d, tidy, type Tensor2D } from "@tensorflow/tfjs-core";
import { contrastiveLoss } from "../../lib/clip/loss.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { assertValues } from "../support/layers.ts";

/** exp(logit_scale) = ln 3, so that a similarity of 1 has the odds 3. */
const logitScale = Math.log(Math.log(3));
const cross = (): Tensor2D => tensor2d([[1, 0], [0, 1]]); // prettier-ignore

describe("contrastiveLoss", () => {
  it("is the cross-entropy of each image among the texts and of each text among the images", () => {
    tidy(() => {
      const texts = tensor2d([[1, 0], [1, 0]]); // prettier-ignore
      const loss = contrastiveLoss({ images: cross(), texts, logitScale: scalar(logitScale) });
      // Logits [[ln 3, ln 3], [0, 0]]. Each image has two equal texts: −ln ½. Each text has the probabilities ¾ for
      // the first image and ¼ for the second: −ln ¾ and −ln ¼.
      const ofImages = Math.log(2);
      const ofTexts = (Math.log(4 / 3) + Math.log(4)) / 2;
      assertValues(loss, (ofImages + ofTexts) / 2);
    });
  });

  it("takes image i and text i as a pair", () => {
    tidy(() => {
      const swapped = tensor2d([[0, 1], [1, 0]]); // prettier-ignore
      const loss = (texts: Tensor2D): ReturnType<typeof contrastiveLoss> =>
        contrastiveLoss({ images: cross(), texts, logitScale: scalar(logitScale) });
      assertValues(loss(cross()), Math.log(4 / 3));
      assertValues(loss(swapped), Math.log(4));
    });
  });

  it("refuses anything but pairs", () => {
    tidy(() => {
      const images = cross();
      for (const texts of [tensor2d([[1, 0]]), null]) {
        assert.throws(
          () => contrastiveLoss({ images, texts, logitScale: scalar(1) }),
          (error: unknown) => error instanceof InputError && /as many images as texts/.test(error.message),
        );
      }
    });
  });
});
