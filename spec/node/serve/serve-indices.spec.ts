import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { decodeImage } from "../../../lib/image/decode.ts";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import type { QueryOptions } from "../../../lib/node/retrieval/query-options.ts";
import type { QueryTerm } from "../../../lib/node/retrieval/query-vectors.ts";
import type { Found } from "../../../lib/retrieval/result-text.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { clipClient, withoutFilters } from "../../support/clip-client.ts";
import { sampleNames } from "../../support/index-folder.ts";
import { fixture } from "../../support/paths.ts";
import { parseExposition, valueOf } from "../../support/prometheus.ts";
import {
  post,
  servedFolders,
  servedModel,
  shardRows,
  startServer,
  type Served,
} from "../../support/served-indices.ts";
import type { ServeOptions } from "../../../lib/node/serve/serve-options.ts";

interface Row {
  readonly id: number;
  readonly similarity: number;
  readonly image_path?: string;
  readonly caption?: string;
  readonly image?: string;
  readonly embedding?: readonly number[];
}

describe("serveIndices", function () {
  this.timeout(60_000);
  const folders = servedFolders();
  const servers: Served[] = [];
  /** With the defaults; specs share it. */
  let plain: Served;
  before(async () => {
    plain = await startServer([folders.photos, folders.shards]);
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  after(() => plain.close());

  async function start(
    options: Partial<ServeOptions> = {},
    served = [folders.photos, folders.shards],
  ): Promise<Served> {
    const server = await startServer(served, options);
    servers.push(server);
    return server;
  }

  const knn = { modality: "image", indice_name: "photos", num_images: 8 };
  async function search(url: string, body: object): Promise<Row[]> {
    const { status, document } = await post(`${url}knn-service`, { ...knn, ...body });
    assert.equal(status, 200, JSON.stringify(document));
    return document as Row[];
  }

  /** What `clipscope query` prints; spec/cli/commands/serve.spec.ts compares with the command itself. */
  async function query(
    folder: string,
    terms: readonly QueryTerm[],
    options: QueryOptions = {},
  ): Promise<readonly Found[]> {
    const index = await openIndex(folder);
    try {
      const found: Found[] = [];
      for await (const row of index.query(terms, { ...options, model: servedModel })) found.push(row);
      return found;
    } finally {
      await index.close();
    }
  }

  /** Ids are the same; similarities differ by what a batch of another length does to float32. */
  function assertSame(
    found: readonly Row[],
    expected: readonly { readonly id: number; readonly similarity: number }[],
  ): void {
    assert.deepEqual(
      found.map(({ id }) => id),
      expected.map(({ id }) => id),
    );
    for (const [i, { similarity }] of expected.entries())
      assert.ok(Math.abs(found[i]!.similarity - similarity) < 1e-5, `${found[i]!.similarity}, ${similarity}`);
  }

  it("answers ClipClient as clip-retrieval does, with the rows of clipscope query", async () => {
    const { url } = plain;
    const indices = (await (await fetch(`${url}indices-list`)).json()) as string[];
    assert.deepEqual(indices, ["photos", "shards"]);
    for (const text of ["three brown stars", "緑の三日月が四つ", "ein blaues Kreuz"]) {
      const response = await clipClient(
        url,
        { text, indice_name: "photos" },
        { ...withoutFilters, deduplicate: false },
      );
      assert.equal(response.status, 200);
      const rows = (await response.json()) as Row[];
      assert.ok(Array.isArray(rows));
      assertSame(rows, await query(folders.photos, [{ text }], { top: 40 }));
      for (const row of rows) {
        assert.deepEqual(Object.keys(row), ["image_path", "image", "id", "similarity"]);
        const { width, height, mode } = await decodeImage(
          Buffer.from(row.image!, "base64"),
          "image",
          nodeCodecs(),
        );
        assert.deepEqual([mode, Math.max(width, height) <= 320], ["RGB", true]);
      }
    }
    const deduplicated = await clipClient(url, { text: "red", indice_name: "shards" }, withoutFilters);
    const distinct = (await deduplicated.json()) as Row[];
    // The tar repeats its eight images.
    assertSame(distinct, await query(folders.shards, [{ text: "red" }], { top: 40, dedup: 0.94 }));
    assert.equal(distinct.length, sampleNames.length);
  });

  it("answers ClipClient's images and embeddings", async () => {
    const { url } = plain;
    const file = join(folders.images, "orange-heart.jpg");
    const image = readFileSync(file).toString("base64");
    const ofImage = await clipClient(url, { image, indice_name: "photos" }, withoutFilters);
    assertSame(
      (await ofImage.json()) as Row[],
      await query(folders.photos, [{ image: file }], { dedup: 0.94 }),
    );
    const index = await openIndex(folders.photos);
    const vector = await index.readRows([3]);
    await index.close();
    const embedding_input = Array.from(vector);
    const ofVector = await clipClient(url, { embedding_input, indice_name: "photos" }, withoutFilters);
    assert.equal(((await ofVector.json()) as Row[])[0]!.id, 3);
  });

  it("refuses ClipClient's default filters, unless the server has them or is told to ignore them", async () => {
    const refused = await clipClient(plain.url, { text: "red", indice_name: "shards" });
    assert.equal(refused.status, 400);
    assert.match(
      ((await refused.json()) as { message: string }).message,
      /^use_safety_model: .*no safety filter/,
    );
    const vectors = Array.from({ length: 10 }, () => new Float32Array(plain.indices[0]!.width).fill(0.01));
    const filtering = await start(
      {
        columns: ["width"],
        filters: {
          safety: "width < 12",
          violence: "NSFW = 'UNLIKELY'",
          aesthetic: vectors,
          ignored: new Set(),
        },
      },
      [folders.shards],
    );
    const response = await clipClient(
      filtering.url,
      { text: "red", indice_name: "shards" },
      { deduplicate: false },
    );
    const rows = (await response.json()) as Row[];
    assert.equal(response.headers.get("x-clipscope-ignored"), null);
    assert.deepEqual(
      rows.map(({ id }) => id).sort((a, b) => a - b),
      Array.from({ length: 12 }, (_, id) => id),
    );
    const ignoring = await start({ filters: { ignored: new Set(["safety", "violence", "aesthetic"]) } });
    const ignored = await clipClient(ignoring.url, { text: "red", indice_name: "shards" });
    assert.deepEqual(
      [ignored.status, ignored.headers.get("x-clipscope-ignored")],
      [200, "use_safety_model, use_violence_detector, aesthetic_score"],
    );
  });

  it("answers clip-retrieval-front: many ids first, their metadata later", async () => {
    const { url } = plain;
    const front = {
      text: "red",
      image: null,
      image_url: null,
      embedding_input: null,
      aesthetic_score: "",
      aesthetic_weight: "0.5",
    };
    const rows = await search(url, { ...front, indice_name: "shards", num_images: 2, num_result_ids: 3000 });
    assert.equal(rows.length, shardRows);
    assert.deepEqual(Object.keys(rows[2]!), ["id", "similarity"]);
    const ids = rows.slice(2, 5).map(({ id }) => id);
    const { document } = await post(`${url}metadata`, { indice_name: "shards", ids });
    const metadata = document as {
      id: number;
      metadata: Row & { NSFW?: string; url?: string; width?: number };
    }[];
    assert.deepEqual(
      metadata.map(({ id }) => id),
      ids,
    );
    for (const {
      id,
      metadata: { caption, url: source, NSFW, width, image },
    } of metadata) {
      const name = sampleNames[id % sampleNames.length]!;
      assert.equal(caption, name.replace(/\..*/, "").replaceAll("-", " "));
      // `width` is not among the columns that clients see.
      assert.deepEqual(
        [source, NSFW, width, typeof image],
        [`http://x/${id}`, "UNLIKELY", undefined, "string"],
      );
    }
  });

  it("searches captions, with terms, conditions, a least similarity and embeddings", async () => {
    const { url } = await start({ columns: ["width"] });
    const shards = { indice_name: "shards", num_images: shardRows };
    assertSame(
      await search(url, { ...shards, text: "red circles", modality: "text" }),
      await query(folders.shards, [{ text: "red circles" }], { side: "text", top: 24 }),
    );
    const terms = [{ text: "red" }, { text: "a circle", weight: -0.5 }, { id: 2, weight: 0.25 }];
    assertSame(await search(url, { ...shards, terms }), await query(folders.shards, terms, { top: 24 }));
    const where = "width >= 8 AND caption LIKE '%red%'";
    const conditioned = await search(url, {
      ...shards,
      text: "red",
      where,
      min_similarity: 0.1,
      return_embeddings: true,
    });
    assertSame(conditioned, await query(folders.shards, [{ text: "red" }], { where, min: 0.1 }));
    for (const { embedding } of conditioned) assert.ok(Math.abs(Math.hypot(...embedding!) - 1) < 1e-2);
  });

  it("embeds texts and images as the model does", async () => {
    const { url } = plain;
    const image = readFileSync(join(folders.images, "orange-heart.jpg")).toString("base64");
    const { document } = await post(`${url}v1/embeddings`, {
      model: "any",
      input: ["an orange heart", { image }],
    });
    const { data, usage } = document as {
      data: { embedding: number[] }[];
      usage: { prompt_tokens: number };
    };
    const model = await servedModel();
    const expected = await (await model.encodeText(["an orange heart"], { normalize: true })).data();
    for (const [i, value] of expected.entries()) assert.ok(Math.abs(data[0]!.embedding[i]! - value) < 1e-5);
    assert.equal(usage.prompt_tokens, (await model.tokenizer()).encode("an orange heart").length);
    const [row] = await search(url, { embedding_input: data[1]!.embedding });
    assert.match(row!.image_path!, /orange-heart\.jpg$/);
    assert.ok(row!.similarity > 0.999);
  });

  it("16 clients at once get what one gets, in joint passes", async () => {
    const texts = Array.from(
      { length: 32 },
      (_, i) => `${i} ${sampleNames[i % 8]!.replaceAll(/[-.]/g, " ")}`,
    );
    const expected: Row[][] = [];
    for (const text of texts) expected.push(await search(plain.url, { text, return_images: false }));
    const together = await start();
    const found: Row[][] = [];
    let next = 0;
    const client = async (): Promise<void> => {
      for (let i = next++; i < texts.length; i = next++)
        found[i] = await search(together.url, { text: texts[i]!, return_images: false });
    };
    await Promise.all(Array.from({ length: 16 }, client));
    for (const [i, rows] of expected.entries()) {
      assertSame(
        found[i]!,
        rows.map((row) => ({ ...row, path: row.image_path! })),
      );
    }
    const metrics = parseExposition(await (await fetch(`${together.url}metrics`)).text());
    assert.equal(valueOf(metrics, "clipscope_query_embeddings_total", { cached: "false" }), texts.length);
    assert.equal(
      valueOf(metrics, "clipscope_http_requests_total", { route: "/knn-service", status: "200" }),
      texts.length,
    );
    assert.equal(valueOf(metrics, "clipscope_search_seconds_count", { index: "photos" }), texts.length);
    assert.equal(valueOf(metrics, "clipscope_index_rows", { index: "shards" }), shardRows);
    assert.ok(valueOf(metrics, "process_resident_memory_bytes") > 1e7);
  });

  it("tells clients to come back when too many texts wait", async () => {
    const { url } = await start({ batchSize: 1, mostWaiting: 64 });
    const texts = (from: number) => Array.from({ length: 40 }, (_, i) => `${from + i}`);
    const first = post(`${url}v1/embeddings`, { input: texts(0) });
    const second = await post(`${url}v1/embeddings`, { input: texts(40) });
    assert.deepEqual([second.status, second.headers.get("retry-after")], [503, "1"]);
    assert.equal((await first).status, 200);
    await search(url, { text: "afterwards" });
  });

  it("shows images of the index's sources only, by id", async () => {
    const { url } = plain;
    const thumb = await fetch(`${url}thumb/0`);
    assert.deepEqual([thumb.status, thumb.headers.get("content-type")], [200, "image/jpeg"]);
    assert.equal((await fetch(`${url}thumb/3?index=shards`)).status, 200);
    for (const rest of ["8", "999999", "-1", "0.5", "..%2f..%2fetc%2fpasswd", "photos/0", ""])
      assert.ok([400, 404].includes((await fetch(`${url}thumb/${rest}`)).status), rest);
  });

  it("shows no image that a link leads to outside the sources, unless its folder is a root", async () => {
    const image = join(folders.images, "two-red-circles.png");
    const outside = join(folders.path, "moved.png");
    const kept = join(folders.path, "kept.png");
    cpSync(image, kept);
    renameSync(image, outside);
    symlinkSync(outside, image);
    try {
      const id = sampleNames.indexOf("two-red-circles.png");
      const { url } = await start({}, [folders.photos]);
      assert.equal((await fetch(`${url}thumb/${id}`)).status, 404);
      assert.equal("image" in (await search(url, { terms: [{ id }] }))[0]!, false);
      const rooted = await start({ roots: [folders.path] }, [folders.photos]);
      assert.equal((await fetch(`${rooted.url}thumb/${id}`)).status, 200);
    } finally {
      unlinkSync(image);
      renameSync(kept, image);
      rmSync(outside);
    }
  });

  it("tells nothing of the machine: no folders in paths, conditions only on what is shown", async () => {
    const { url } = plain;
    const rows = await search(url, { text: "red" });
    for (const { image_path } of rows) assert.match(image_path!, /^images\/[\w-]+\.(png|jpg)$/);
    for (const where of ["image_path LIKE '/tmp/%'", "mtime > 0", "bytes > 0", "nothing = 1"]) {
      const { status, document } = await post(`${url}knn-service`, { ...knn, text: "red", where });
      assert.equal(status, 400, where);
      assert.match(
        (document as { message: string }).message,
        /^where: expected one of the columns that this server shows/,
      );
      assert.ok(!JSON.stringify(document).includes(folders.path), where);
    }
    const wrong = await post(`${url}knn-service`, {
      ...knn,
      indice_name: "shards",
      text: "red",
      where: "caption = 7",
    });
    assert.equal(wrong.status, 400);
    assert.match((wrong.document as { message: string }).message, /^where: .*\ncaption = 7\n/);
  });

  it("answers 500 without details when a file of the index is damaged, and tells the operator", async () => {
    const copy = join(folders.path, "damaged");
    cpSync(folders.photos, copy, { recursive: true });
    const { url, errors } = await start({}, [copy]);
    for (const file of readdirSync(join(copy, "metadata"))) rmSync(join(copy, "metadata", file));
    const { status, document } = await post(`${url}knn-service`, {
      ...knn,
      indice_name: "damaged",
      text: "red",
    });
    assert.deepEqual([status, document], [500, { message: "internal error" }]);
    assert.match(String(errors[0]), /metadata_000000\.parquet/);
    assert.equal((await fetch(`${url}health`)).status, 200);
  });

  it("refuses image_url, ids of no row, and images that cannot be read", async () => {
    const { url } = plain;
    const statusOf = async (body: object) => (await post(`${url}knn-service`, { ...knn, ...body })).status;
    assert.equal(await statusOf({ image_url: "http://169.254.169.254/latest/meta-data" }), 403);
    assert.equal(await statusOf({ terms: [{ id: 8 }] }), 400);
    assert.equal(await statusOf({ image: Buffer.from("not an image").toString("base64") }), 400);
    assert.equal(await statusOf({ embedding_input: [1, 2] }), 400);
    assert.equal(await statusOf({ terms: [{ text: "a" }, { text: "a", weight: -1 }] }), 400);
    const deleted = await post(`${url}metadata`, { indice_name: "photos", ids: [8] });
    assert.equal(deleted.status, 400);
  });

  it("serves a folder that clip-retrieval wrote, and refuses another model's", async () => {
    await assert.rejects(
      startServer([fixture("retrieval/clip-retrieval")]),
      /expected a model with embeddings of 8 numbers, found \d+/,
    );
    const theirs = join(folders.path, "theirs");
    cpSync(join(folders.photos, "img_emb"), join(theirs, "img_emb"), { recursive: true });
    cpSync(join(folders.photos, "metadata"), join(theirs, "metadata"), { recursive: true });
    const { url } = await start({}, [theirs]);
    const rows = await search(url, { indice_name: "theirs", text: "three brown stars" });
    assert.equal(rows[0]!.id, sampleNames.indexOf("three-brown-stars.png"));
    // Nothing records where its images are.
    assert.equal("image" in rows[0]! || "image_path" in rows[0]!, false);
  });

  it("refuses indices and options that do not fit together", async () => {
    await assert.rejects(
      startServer([folders.photos, join(folders.photos, ".")]),
      /another index has the name photos too/,
    );
    await assert.rejects(startServer([folders.images]), /expected an index folder/);
    await assert.rejects(
      startServer([folders.photos], { filters: { safety: "NSFW = 'UNLIKELY'", ignored: new Set() } }),
      /where: expected a column of .*photos .*found NSFW/,
    );
    await assert.rejects(
      startServer([folders.photos], { filters: { aesthetic: [new Float32Array(3)], ignored: new Set() } }),
      /--aesthetic: expected vectors of \d+ numbers/,
    );
    await assert.rejects(startServer([folders.photos], { roots: [join(folders.path, "gone")] }), /--root/);
    const { port } = plain;
    await assert.rejects(startServer([folders.photos], { port }), /it is in use/);
    await assert.rejects(
      startServer([folders.photos], { host: "192.0.2.1", token: "0123456789abcdef" }),
      /expected an address of this machine/,
    );
  });
});
