import assert from "node:assert/strict";
import { evaluateClassifier, type Evaluation } from "../../lib/probe/evaluate.ts";
import { confusionPicture, reliabilityPicture } from "../../lib/probe/pictures.ts";
import { heat, type Raster } from "../../lib/draw/raster.ts";

/** So many examples of each class, of which the first `wrong` are taken for the next class. */
function evaluation(classes: number, examples: number, wrong: number): Evaluation {
  const labels = Array.from({ length: classes * examples }, (_, i) => i % classes);
  const logits = labels.flatMap((label, i) => {
    const given = Math.floor(i / classes) < wrong ? (label + 1) % classes : label;
    return Array.from({ length: classes }, (_, c) => (c === given ? 3 : 0));
  });
  return evaluateClassifier(Float32Array.from(logits), labels, classes);
}

/** Pixels of exactly a colour. */
function count({ rgb }: Raster, color: readonly number[]): number {
  const bytes = Uint8ClampedArray.from(color);
  let found = 0;
  for (let i = 0; i < rgb.length; i += 3) {
    if (bytes.every((part, channel) => rgb[i + channel] === part)) found += 1;
  }
  return found;
}

describe("pictures of a probe", () => {
  for (const [classes, cell] of [
    [4, 64],
    [100, 12],
    [300, 3],
  ] as const) {
    it(`show the shares of ${classes} classes as squares of ${cell} pixels`, async () => {
      const names = Array.from({ length: classes }, (_, c) => `class ${c}`);
      const picture = await confusionPicture(names, evaluation(classes, 4, 1));
      const square = cell * cell;
      // Numbers stand in large cells, and the scale has a line or two of each colour.
      const [least, most] = cell >= 40 ? [0.8, 1.1] : [1, 1.1];
      const right = count(picture, heat(0.75)) / (classes * square);
      const wrong = count(picture, heat(0.25)) / (classes * square);
      assert.ok(right >= least && right < most && wrong >= least && wrong < most, `${right}, ${wrong}`);
      assert.ok(picture.width < 1600 && picture.height < 1600);
    });
  }

  it("put numbers where the font lacks a name's letters, and cut long names", async () => {
    const picture = (name: string): Promise<Raster> => confusionPicture([name, "b"], evaluation(2, 4, 1));
    assert.deepEqual(await picture("猫"), await picture("1"));
    assert.deepEqual(await picture("n".repeat(400)), await picture("n".repeat(300)));
    assert.deepEqual(await picture("été"), await picture("ete"));
  });

  it("show how far the bars of calibration are from the diagonal", async () => {
    // One bin: probability e³/(e³ + 3) = 0.87, right in three of four: a bar of 3/4 of 360 pixels.
    const picture = await reliabilityPicture(evaluation(4, 4, 1));
    const bar = [31, 98, 170];
    const height = Array.from({ length: picture.height }, (_, y) =>
      Array.from({ length: picture.width }, (__, x) => picture.at(x, y).join()).includes(bar.join()),
    ).filter(Boolean).length;
    assert.equal(height, 270);
  });
});
