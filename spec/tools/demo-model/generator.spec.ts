import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { captionsOf, imageOf, sceneOf } from "../../../tools/demo-model/dataset.ts";
import { renderScene } from "../../../tools/demo-model/generator.ts";
import { Random } from "../../../tools/demo-model/random.ts";
import { samples } from "../../../tools/demo-model/samples.ts";
import {
  backgrounds,
  colours,
  fills,
  shapes,
  isHeldOut,
  isHeldOutPair,
  type Scene,
  type Split,
} from "../../../tools/demo-model/scene.ts";
import { distanceTo } from "../../../tools/demo-model/shapes.ts";

const key = fc.integer({ min: 0, max: 2 ** 31 - 1 });

/** A scene that is easy to measure. */
const plain: Scene = {
  shape: "square",
  colour: "blue",
  count: 1,
  position: "left",
  size: "large",
  background: "white",
  pattern: "plain",
  arrangement: "scattered",
  fill: "solid",
};

/** The centre of the pixels with far more blue than red, from −1 to 1. */
function centreOfBlue({ data, width, height }: ReturnType<typeof renderScene>): {
  x: number;
  y: number;
  share: number;
} {
  let [x, y, found] = [0, 0, 0];
  for (let pixel = 0; pixel < width * height; pixel++) {
    if ((data[4 * pixel + 2] ?? 0) - (data[4 * pixel] ?? 0) < 80) continue;
    x += (2 * (pixel % width)) / width - 1;
    y += (2 * Math.floor(pixel / width)) / height - 1;
    found++;
  }
  return { x: x / found, y: y / found, share: found / (width * height) };
}

describe("the demo model's random numbers", () => {
  it("are those of splitmix32 with the finalizer of MurmurHash3", () => {
    const random = new Random(1, 2, 3);
    assert.deepEqual(
      [random.uint32(), random.uint32(), random.uint32()],
      [3319783646, 2649619202, 1561045178],
    );
  });

  it("differ for each part of the key", () => {
    const first = (...parts: number[]): number => new Random(...parts).uint32();
    assert.equal(
      new Set([first(1), first(2), first(1, 1), first(1, 2), first(2, 1), first(1, 1, 1)]).size,
      6,
    );
  });

  it("are distributed evenly between 0 and 1", () => {
    const random = new Random(7);
    const bins = new Array<number>(10).fill(0);
    for (let draw = 0; draw < 10_000; draw++) {
      const bin = random.below(10);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    // 10 standard deviations of a bin of 1000.
    assert.ok(
      bins.every((count) => Math.abs(count - 1000) < 300),
      `bins ${bins}`,
    );
  });
});

describe("the demo model's scenes", () => {
  it("hold out eight pairs: one colour of each shape, one shape of each colour", () => {
    for (const shape of shapes)
      assert.equal(colours.filter((colour) => isHeldOutPair({ colour, shape })).length, 1);
    for (const colour of colours)
      assert.equal(shapes.filter((shape) => isHeldOutPair({ colour, shape })).length, 1);
  });

  it("hold out each of those pairs on three of the five backgrounds", () => {
    const held = shapes.flatMap((shape) =>
      colours.flatMap((colour) =>
        backgrounds
          .filter((background) => isHeldOut({ colour, shape, background }))
          .map(() => `${colour} ${shape}`),
      ),
    );
    assert.equal(held.length, 24);
    assert.equal(new Set(held).size, 8);
  });

  it("belong to their split: no test combination is in training", () => {
    fc.assert(
      fc.property(key, key, (seed, index) => {
        const scene = (split: Split): Scene => sceneOf(seed, index, split);
        return !isHeldOutPair(scene("pretrain")) && !isHeldOut(scene("train")) && isHeldOut(scene("test"));
      }),
    );
  });

  it("are all solid in training", () => {
    for (let index = 0; index < 200; index++) assert.equal(sceneOf(1, index, "train").fill, "solid");
  });
});

describe("the demo model's images", () => {
  it("are the same, pixel by pixel, for the same seed and index", () => {
    const hash = createHash("sha256");
    for (let index = 0; index < 20; index++)
      hash.update(imageOf(sceneOf(1, index, "train"), 1, index, 84, 84).data);
    assert.equal(hash.digest("hex"), "18d841889ec7b1bc93638a6e71a5a01b70851fdfd97b86e356c35b6d33fda2a0");
  });

  it("differ from index to index", () => {
    const scene = sceneOf(1, 0, "train");
    assert.notDeepEqual(imageOf(scene, 1, 0, 42, 42).data, imageOf(scene, 1, 1, 42, 42).data);
  });

  it("show the shape at the position of the scene, at any size and aspect ratio", () => {
    for (const [width, height] of [
      [84, 84],
      [200, 150],
      [90, 160],
    ] as const) {
      const left = centreOfBlue(renderScene(plain, width, height, 1));
      const bottom = centreOfBlue(renderScene({ ...plain, position: "bottom" }, width, height, 1));
      assert.ok(left.x < -0.2 && Math.abs(left.y) < 0.2, `left at ${left.x}, ${left.y}`);
      assert.ok(bottom.y > 0.2 && Math.abs(bottom.x) < 0.2, `bottom at ${bottom.x}, ${bottom.y}`);
    }
  });

  it("show the same scene at another size", () => {
    const small = centreOfBlue(renderScene(plain, 84, 84, 5));
    const large = centreOfBlue(renderScene(plain, 336, 336, 5));
    assert.ok(Math.abs(small.x - large.x) < 0.03 && Math.abs(small.share - large.share) < 0.02);
  });

  it("cover less of a shape that is not solid", () => {
    const solid = centreOfBlue(renderScene(plain, 200, 200, 1)).share;
    for (const fill of fills.filter((name) => name !== "solid")) {
      const share = centreOfBlue(renderScene({ ...plain, fill }, 200, 200, 1)).share;
      assert.ok(share < 0.9 * solid && share > 0.1 * solid, `${fill}: ${share} of ${solid}`);
    }
  });

  it("keep several shapes apart and inside the centred square", () => {
    fc.assert(
      fc.property(key, (index) => {
        const scene = { ...sceneOf(3, index, "train"), ...plain, count: 4, size: "small" } as const;
        const { share } = centreOfBlue(renderScene(scene, 84, 84, 3, index));
        // Four squares of half edge 0.77 · 0.24 in an image of 2 × 2; overlap or clipping would change the area.
        const expected = (4 * (2 * 0.77 * 0.24) ** 2) / 4;
        return share > 0.75 * expected && share < 1.2 * expected;
      }),
      { numRuns: 50 },
    );
  });
});

describe("the demo model's shapes", () => {
  const inside = {
    circle: true,
    square: true,
    triangle: true,
    star: true,
    cross: true,
    heart: true,
  } as const;

  for (const shape of shapes) {
    it(`${shape}: the centre is ${shape in inside ? "inside" : "outside"}, the corner of the image far outside`, () => {
      // The centre of a crescent is in its concave part.
      const [x, y] = shape === "crescent" ? [0.2, 0] : [0, 0];
      assert.equal(distanceTo(shape, x, y) < 0, shape in inside);
      assert.ok(distanceTo(shape, 1.2, 1.2) > 0.3);
    });
  }

  for (const shape of shapes) {
    it(`${shape}: the distance from outside is that to the nearest point inside`, () => {
      const step = 0.03;
      const grid = Array.from({ length: 80 }, (_, index) => step * (index - 39.5));
      const insides = grid.flatMap((x) =>
        grid.filter((y) => distanceTo(shape, x, y) <= 0).map((y) => [x, y] as const),
      );
      const random = new Random(8);
      for (let point = 0; point < 100; point++) {
        const [x, y] = [random.between(-1.5, 1.5), random.between(-1.5, 1.5)];
        const distance = distanceTo(shape, x, y);
        if (distance <= 0) continue;
        const nearest = Math.min(...insides.map(([atX, atY]) => Math.hypot(x - atX, y - atY)));
        assert.ok(
          nearest > distance - 1e-9 && nearest < distance + 2 * step,
          `(${x}, ${y}): ${distance}, ${nearest}`,
        );
      }
    });
  }

  it("a square has the distances measured along its axes", () => {
    assert.ok(Math.abs(distanceTo("square", 2, 0) - (2 - 0.77)) < 1e-12);
    assert.ok(Math.abs(distanceTo("square", 0, 0) - -0.77) < 1e-12);
  });
});

describe("the demo model's samples", () => {
  it("show combinations that were held out of training", () => {
    for (const { file, scene } of samples) assert.ok(isHeldOut(scene), file);
  });
});

describe("captions of a scene", () => {
  it("have the requested number in each language and no marks of the grammar", () => {
    const captions = captionsOf(sceneOf(1, 3, "train"), 1, 3, 2);
    assert.deepEqual(Object.keys(captions), ["en", "it", "ja", "zh", "de", "es", "fr"]);
    for (const sentences of Object.values(captions)) {
      assert.equal(sentences.length, 2);
      for (const sentence of sentences) assert.doesNotMatch(sentence, /[{}|_]|undefined|^ | $| {2}/);
    }
  });
});
