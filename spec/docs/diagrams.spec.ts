import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { lookInside, type Inside } from "../../examples/guide/inside.ts";
import { forwardPassDiagram, imageTower, logits, textTower } from "../../tools/docs/forward-pass-diagram.ts";
import { roomsDiagram } from "../../tools/docs/rooms-diagram.ts";
import { packageRoot } from "../support/paths.ts";

const redraw = "run node dist/tools/docs/diagrams.js";

describe("the diagrams", () => {
  it("rooms.svg shows the imports of the code", async () => {
    assert.ok((await committed("rooms.svg")) === (await roomsDiagram()), redraw);
  });

  it("forward-pass.svg is what its program draws", async () => {
    assert.ok((await committed("forward-pass.svg")) === forwardPassDiagram(), redraw);
  });

  describe("forward-pass.svg", () => {
    let inside: Inside;
    before(async () => {
      inside = await lookInside();
    });
    after(() => inside.model.dispose());

    it("names taps that a pass emits, with as many axes", () => {
      const steps = [imageTower, textTower]
        .flatMap(({ embed, blocks, readOut }) => [...embed, ...blocks.steps, ...readOut])
        .filter(({ tap }) => tap !== "" && !tap.startsWith("input."));
      assert.ok(steps.length > 20);
      for (const { tap, shape } of steps) {
        assert.equal(inside.shape(tap.replace("{i}", "0")).length, shape.split(",").length, tap);
      }
      assert.equal(logits.tap, "logits_per_image");
    });
  });
});

function committed(name: string): Promise<string> {
  return readFile(`${packageRoot}docs/diagrams/${name}`, "utf8");
}
