import assert from "node:assert/strict";
import fc from "fast-check";
import {
  attentionModes,
  comparedModels,
  formatRoute,
  goldenNames,
  home,
  parseRoute,
  lensScores,
  methodNames,
  partNames,
  poolNames,
  replacements,
  scoreKinds,
  searchKinds,
  sideNames,
  towerNames,
  type Route,
} from "../../../web/state/route.ts";
import { viewNames } from "../../../web/state/views.ts";
import { pageBackends } from "../../../web/worker/protocol.ts";

const line = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => !/[\n\r]/.test(text));
const text = fc.string({ unit: "grapheme", minLength: 1 });

const side = fc.oneof(
  fc.constantFrom(...sideNames),
  text.map((name) => `file:${name}`),
);

const routes: fc.Arbitrary<Route> = fc.record(
  {
    view: fc.constantFrom(...viewNames),
    backend: fc.constantFrom(...pageBackends),
    walk: fc.option(fc.integer({ min: 1, max: 999_999 })),
    image: fc.oneof(
      fc.constant(null),
      fc.stringMatching(/^s:[\w-]+$/),
      fc.stringMatching(/^sha:[0-9a-f]{64}$/),
    ),
    text: fc.option(text),
    imageB: fc.oneof(fc.constant(null), fc.stringMatching(/^s:[\w-]+$/)),
    textB: fc.option(text),
    sideA: side,
    sideB: side,
    golden: fc.oneof(
      fc.constantFrom(...goldenNames),
      text.map((name) => `file:${name}`),
    ),
    isolated: fc.boolean(),
    compared: fc.constantFrom(...comparedModels),
    query: fc.option(text),
    searchBy: fc.constantFrom(...searchKinds),
    row: fc.nat(999_999),
    classes: fc.option(
      fc.array(
        fc.record(
          {
            name: line.filter((name) => !name.includes("\t")),
            images: fc.array(fc.stringMatching(/^s:[\w-]+$/)),
          },
          { noNullPrototype: true },
        ),
        { minLength: 1 },
      ),
    ),
    probeTap: text,
    pool: fc.constantFrom(...poolNames),
    C: fc.double({ min: 1e-9, max: 1e9, noNaN: true }),
    tap: fc.option(text),
    layer: fc.nat(999_999),
    head: fc.option(fc.nat(999_999)),
    token: fc.nat(999_999),
    mode: fc.constantFrom(...attentionModes),
    tower: fc.constantFrom(...towerNames),
    state: fc.nat(999_999),
    method: fc.constantFrom(...methodNames),
    startLayer: fc.nat(999_999),
    steps: fc.integer({ min: 1, max: 999_999 }),
    window: fc.integer({ min: 1, max: 999_999 }),
    against: fc.boolean(),
    part: fc.constantFrom(...partNames),
    by: fc.constantFrom(...replacements),
    donor: fc.option(fc.stringMatching(/^s:[\w-]+$/)),
    weight: fc.option(text),
    other: fc.option(text),
    lensLayer: fc.option(fc.nat(999_999)),
    label: fc.option(text),
    lensScore: fc.constantFrom(...lensScores),
    absolute: fc.boolean(),
    labels: fc.option(fc.array(line, { minLength: 1 })),
    templates: fc.array(
      line.map((before) => `${before} {}`),
      { minLength: 1 },
    ),
    score: fc.constantFrom(...scoreKinds),
    scale: fc.option(fc.integer({ min: 1, max: 1e6 }).map((value) => value / 100)),
    unknown: fc.array(fc.tuple(fc.stringMatching(/^x\.[a-z]+$/), text)),
  },
  { noNullPrototype: true },
);

describe("formatRoute and parseRoute", () => {
  it("are each other's inverse, whatever the texts hold", () => {
    fc.assert(
      fc.property(routes, (route) => {
        assert.deepEqual(parseRoute(formatRoute(route)), { route, problems: [] });
      }),
    );
  });

  it("give a route for every text", () => {
    fc.assert(
      fc.property(fc.string(), (hash) => {
        const { route } = parseRoute(`#/${hash}`);
        assert.ok(viewNames.includes(route.view));
      }),
    );
  });

  it("leave out defaults", () => {
    assert.equal(formatRoute(home), "#/pass");
    assert.equal(
      formatRoute({ ...home, view: "attention", image: "s:three-brown-stars", layer: 3, head: null }),
      "#/attention?img=s%3Athree-brown-stars&L=3&H=mean",
    );
  });

  it("name what is wrong, and keep the rest", () => {
    const { route, problems } = parseRoute("#/attention?L=-1&H=2&scale=big&later=1");
    assert.deepEqual(problems, [
      'L: expected a whole number, found "-1".',
      'scale: expected abs or each, found "big".',
    ]);
    assert.deepEqual(route, { ...home, view: "attention", head: 2, unknown: [["later", "1"]] });
    const damaged = parseRoute("#/text?txt=%E0%A4%A&b.txt=%EF%BF%BD&labels=");
    assert.deepEqual(damaged.problems, [
      'txt: expected a text, found "\ufffd%A".',
      'labels: expected labels, one a line, found "".',
    ]);
    assert.deepEqual(damaged.route, { ...home, view: "text", textB: "\ufffd" });
  });

  it("send an unknown view to the first one", () => {
    const { route, problems } = parseRoute("#/nothing?L=2");
    assert.equal(route.view, "pass");
    assert.equal(problems.length, 1);
  });
});
