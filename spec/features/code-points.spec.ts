import assert from "node:assert/strict";
import { compareCodePoints } from "../../lib/features/code-points.ts";
import { labelled } from "../../lib/features/labelled-images.ts";

describe("compareCodePoints", () => {
  // Python: sorted(["😀", "～", "a", "ab", "", "𐀀", "\ud7ff"])
  const sorted = ["", "a", "ab", "\ud7ff", "～", "𐀀", "😀"];

  it("sorts as Python does, by code points and not by UTF-16 units", () => {
    assert.deepEqual(sorted.toReversed().sort(compareCodePoints), sorted);
    assert.notDeepEqual(sorted.toSorted(), sorted);
  });

  it("numbers classes as torchvision does", () => {
    assert.deepEqual(labelled(["1.png", "2.png"], ["😀", "～"]), {
      images: ["1.png", "2.png"],
      labels: [1, 0],
      classNames: ["～", "😀"],
    });
  });
});
