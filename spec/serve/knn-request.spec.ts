import assert from "node:assert/strict";
import fc from "fast-check";
import { InputError } from "../../lib/errors/input-error.ts";
import { JsonValue } from "../../lib/json/json-value.ts";
import { readImage, readKnnRequest, readMetadataRequest } from "../../lib/serve/knn-request.ts";
import { clipClientBody } from "../support/clip-client.ts";

const least = { text: "a", modality: "image", num_images: 2, indice_name: "photos" };
const read = (body: unknown) => readKnnRequest(JsonValue.of(body, "request"));

describe("readKnnRequest", () => {
  it("reads what ClipClient sends", () => {
    assert.deepEqual(read(JSON.parse(clipClientBody({ text: "red", indice_name: "photos" }))), {
      index: "photos",
      side: "image",
      terms: [{ text: "red", weight: 1 }],
      images: 40,
      ids: 40,
      asked: { safety: true, violence: true, mclip: false, aesthetic: { score: 9, weight: 0.5 } },
      deduplicate: true,
      where: null,
      min: null,
      returnImages: true,
      returnEmbeddings: false,
    });
  });

  it("reads what clip-retrieval-front sends: texts of numbers, empty ones, no embedding", () => {
    const request = read({
      text: "red",
      image: null,
      image_url: null,
      embedding_input: null,
      modality: "text",
      num_images: 40,
      indice_name: "photos",
      num_result_ids: 3000,
      use_mclip: false,
      deduplicate: true,
      use_safety_model: false,
      use_violence_detector: false,
      aesthetic_score: "",
      aesthetic_weight: "0.5",
    });
    assert.deepEqual([request.side, request.images, request.ids], ["text", 40, 3000]);
    assert.equal(request.asked.aesthetic, null);
    assert.deepEqual(read({ ...least, aesthetic_score: "7", aesthetic_weight: "0.25" }).asked.aesthetic, {
      score: 7,
      weight: 0.25,
    });
  });

  it("reads terms with weights", () => {
    const rest = { ...least, text: "" };
    const terms = [
      { text: "a" },
      { text: "b", weight: -0.5 },
      { id: 3 },
      { embedding_input: [0, 1] },
      { image: "aGk=" },
    ];
    assert.deepEqual(read({ ...rest, terms }).terms, [
      { text: "a", weight: 1 },
      { text: "b", weight: -0.5 },
      { id: 3, weight: 1 },
      { vector: [0, 1], weight: 1 },
      { image: new Uint8Array([104, 105]), weight: 1 },
    ]);
  });

  for (const [change, message] of [
    [{ modality: "audio" }, /expected modality to be .*image.*text.*found "audio"/],
    [{ modality: undefined }, /modality/],
    [{ num_images: -1 }, /num_images/],
    [{ num_images: 1.5 }, /num_images/],
    [{ num_images: 10_001 }, /expected num_images to be .*10000/],
    [{ num_result_ids: 1e9 }, /expected num_result_ids to be .*10000/],
    [{ indice_name: 7 }, /expected indice_name to be a string/],
    [{ text: null }, /one of text, image, image_url, embedding_input and terms/],
    [{ image: "aGk=" }, /one of text, image/],
    [{ text: "", terms: [] }, /expected terms to be 1 to 64 terms/],
    [{ text: "", terms: [{ text: "a", id: 1 }] }, /expected terms\[0\] to be one of text/],
    [{ text: "", terms: [{ text: "a", wieght: 2 }] }, /terms\[0\].*wieght/],
    [{ text: "", terms: Array(65).fill({ text: "a" }) }, /expected terms to be 1 to 64 terms/],
    [{ text: "", embedding_input: [1, "2"] }, /expected embedding_input\[1\] to be a number/],
    [{ text: "", image: "%%%" }, /expected image to be an image in base64/],
    [{ deduplicate: "yes" }, /expected deduplicate to be true or false/],
    [{ use_safety_modle: true }, /use_safety_modle/],
    [{ aesthetic_score: 11 }, /expected aesthetic_score to be a whole number from 0 to 9/],
    [{ aesthetic_weight: "much" }, /expected aesthetic_weight to be a number/],
    [{ min_similarity: "0.2" }, /expected min_similarity to be a number/],
  ] as const) {
    it(`refuses ${JSON.stringify(change).slice(0, 70)}`, () => {
      assert.throws(
        () => read({ ...least, ...change }),
        (error) => error instanceof InputError && message.test(error.message),
      );
    });
  }

  it("any JSON gives a request or an InputError", () => {
    const key = fc.constantFrom(...Object.keys(least), "terms", "image", "aesthetic_score", "where");
    fc.assert(
      fc.property(fc.dictionary(key, fc.jsonValue()), fc.boolean(), (body, isComplete) => {
        try {
          read(isComplete ? { ...least, ...body } : body);
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
    );
  });
});

describe("readMetadataRequest", () => {
  it("reads ids, and refuses others", () => {
    const read = (body: unknown) => readMetadataRequest(JsonValue.of(body, "request"));
    assert.deepEqual(read({ indice_name: "photos", ids: [3, 0] }), { index: "photos", ids: [3, 0] });
    assert.throws(() => read({ indice_name: "photos", ids: [-1] }), /ids\[0\]/);
    assert.throws(
      () => read({ indice_name: "photos", ids: Array(10_001).fill(0) }),
      /expected ids to be at most 10000/,
    );
    assert.throws(() => read({ indice_name: "photos", ids: "1" }), /expected ids to be an array/);
    assert.throws(() => read({ indice_name: "photos" }), /ids/);
  });
});

describe("readImage", () => {
  it("reads base64 with line breaks, and data URLs", () => {
    for (const text of ["aGVs\r\nbG8=", "data:image/png;base64,aGVsbG8="])
      assert.equal(Buffer.from(readImage(JsonValue.of(text, "request"))).toString(), "hello");
    assert.throws(() => readImage(JsonValue.of("data:image/png,hello", "request")), /an image in base64/);
  });
});
