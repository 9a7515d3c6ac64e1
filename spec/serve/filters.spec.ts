import assert from "node:assert/strict";
import { applyFilters, type AskedFilters, type Filters } from "../../lib/serve/filters.ts";

const nothing: AskedFilters = { safety: false, violence: false, mclip: false, aesthetic: null };
const none: Filters = { ignored: new Set() };

describe("applyFilters", () => {
  it("refuses a filter that is asked for and not available, and says how to go on", () => {
    for (const [asked, field, option] of [
      [{ safety: true }, "use_safety_model", /--safe-where CONDITION or --ignore-filter safety$/],
      [
        { violence: true },
        "use_violence_detector",
        /--nonviolent-where CONDITION or --ignore-filter violence$/,
      ],
      [{ mclip: true }, "use_mclip", /with --ignore-filter mclip$/],
      [
        { aesthetic: { score: 9, weight: 0.5 } },
        "aesthetic_score",
        /--aesthetic FILE or --ignore-filter aesthetic$/,
      ],
    ] as const) {
      assert.throws(
        () => applyFilters({ ...nothing, ...asked }, none),
        (error: Error & { status?: number }) =>
          error.status === 400 && error.message.startsWith(`${field}: `) && option.test(error.message),
        field,
      );
    }
  });

  it("names the fields of filters that the server was told to ignore", () => {
    const asked = { safety: true, violence: true, mclip: true, aesthetic: { score: 9, weight: 0.5 } };
    const ignored = new Set(["safety", "violence", "mclip", "aesthetic"] as const);
    assert.deepEqual(applyFilters(asked, { ignored }), {
      conditions: [],
      added: null,
      ignored: ["use_safety_model", "use_violence_detector", "aesthetic_score", "use_mclip"],
    });
    assert.deepEqual(applyFilters(nothing, { ignored }).ignored, []);
  });

  it("uses those that are available, also if they could be ignored", () => {
    const aesthetic = Array.from({ length: 10 }, (_, score) => Float32Array.of(score));
    const filters = { safety: "a = 1", violence: "b = 2", aesthetic, ignored: new Set(["safety"] as const) };
    assert.deepEqual(
      applyFilters(
        { safety: true, violence: true, mclip: false, aesthetic: { score: 9, weight: 0.5 } },
        filters,
      ),
      { conditions: ["a = 1", "b = 2"], added: { vector: Float32Array.of(9), weight: 0.5 }, ignored: [] },
    );
    assert.deepEqual(applyFilters(nothing, filters), { conditions: [], added: null, ignored: [] });
  });

  it("a score without a weight asks for nothing", () => {
    assert.deepEqual(applyFilters({ ...nothing, aesthetic: { score: 9, weight: 0 } }, none).ignored, []);
  });
});
