/**
 * Answers of a hub. An input is JSON: for each request the answer that replaces the right one of the loopback hub, or null.
 */
import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { pullModel } from "../../../lib/node/hub/pull.ts";
import { HubServer } from "../../../spec/support/hub-server.ts";
import type { Random } from "../../demo-model/random.ts";
import { json, readFixture } from "../fixtures.ts";
import { mutateJson } from "../mutate-json.ts";
import type { CreateTarget, Mutation } from "../target.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Answers = readonly (Answer | null)[];

const repository = "clipscope/tiny";
const files = {
  "open_clip_config.json": readFixture("tiny/plain-quickgelu/open_clip_config.json"),
  "open_clip_model.safetensors": readFixture("tiny/plain-quickgelu/open_clip_model.safetensors"),
};

const headers: readonly (readonly [name: string, values: readonly string[]])[] = [
  [
    "location",
    [
      "/",
      "",
      "http://127.0.0.1:1/",
      "file:///etc/passwd",
      "http://[",
      "//",
      "javascript:0",
      "https://user:secret@x",
    ],
  ],
  [
    "link",
    [
      '<http://127.0.0.1:1/>; rel="next"',
      '<>; rel="next"',
      '<x>; rel="next"',
      "<",
      '</api/models>; rel="next"',
    ],
  ],
  ["x-error-code", ["GatedRepo", "RevisionNotFound", "RepoNotFound", "EntryNotFound", "x"]],
  ["etag", ['"x"', "", '"../../x"']],
  ["x-linked-size", ["-1", "0", "NaN", "99999999999999999999"]],
  ["x-linked-etag", ['"x"']],
  ["content-type", ["text/html", "application/json", "x"]],
  ["content-range", ["bytes 0-1/2", "x", "bytes */0"]],
];
const statuses = [200, 200, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 416, 451];

function parse(input: Uint8Array): Answers {
  try {
    const answers = JSON.parse(new TextDecoder().decode(input)) as unknown;
    return Array.isArray(answers) ? answers.slice(0, 8).map(answerOf) : [];
  } catch {
    return [{ status: 200, headers: {}, body: new TextDecoder().decode(input) }];
  }
}

/** Node's server refuses to send other statuses and headers. */
function answerOf(value: unknown): Answer | null {
  if (typeof value !== "object" || value === null) return null;
  const { status, headers: given, body } = value as Record<string, unknown>;
  const valid = typeof given === "object" && given !== null ? Object.entries(given) : [];
  return {
    status: Number.isInteger(status) && Number(status) >= 200 && Number(status) < 500 ? Number(status) : 200,
    headers: Object.fromEntries(
      valid.flatMap(([name, text]) =>
        /^[a-z-]+$/.test(name) ? [[name, String(text).replace(/[^ -~]/g, "?")]] : [],
      ),
    ),
    body: typeof body === "string" ? body : JSON.stringify(body ?? null),
  };
}

/** Changes the JSON inside one answer's body. */
const otherBody: Mutation = (input, random, other) =>
  changedAnswer(input, random, (answer) => {
    const donor = parse(other).find((one) => one !== null);
    const body = mutateJson(Buffer.from(answer.body), random, Buffer.from(donor?.body ?? "[]"));
    return { ...answer, body: new TextDecoder().decode(body) };
  });

const otherHead: Mutation = (input, random) =>
  changedAnswer(input, random, (answer) => {
    if (random.chance(0.5)) return { ...answer, status: random.pick(statuses) };
    const [name, values] = random.pick(headers);
    return { ...answer, headers: { ...answer.headers, [name]: random.pick(values) } };
  });

/** Paths that a listing may state. */
const paths = [
  "../up.safetensors",
  "/etc/x.safetensors",
  "a/../../x.safetensors",
  "C:\\x.safetensors",
  "..",
  ".",
  "",
  "a//b.safetensors",
  "a/./b.json",
  "con",
  "\0.safetensors",
  "x\n.safetensors",
  "😀.safetensors",
  `${"n".repeat(300)}.safetensors`,
  "open_clip_model.safetensors",
  "open_clip_config.json",
  "tokenizer.json",
  "sub/tokenizer.json",
  "open_clip_model.safetensors.index.json",
  "open_clip_pytorch_model.bin",
];

/** Changes one entry of a listing, or adds one, to something that a hub could state. */
function otherEntry(listing: readonly object[], commit: string): Mutation {
  return (input, random) =>
    changedAnswer(
      input,
      random,
      (answer) => {
        const entries = entriesOf(answer.body) ?? listing;
        const digest = random.pick([commit, "0".repeat(40), "0".repeat(64), "../x", "", "Z".repeat(64)]);
        const size = random.pick([0, 1, -1, 0.5, 100, 100_001, 2 ** 31, 2 ** 53, 1e300, "7", null]);
        const change = random.pick([
          { path: random.pick(paths) },
          { size },
          { oid: digest },
          { lfs: { oid: digest, size, pointerSize: 127 } },
          { lfs: null },
          { type: random.pick(["directory", "file", "commit", 7]) },
        ]);
        const at = random.below(entries.length + 1);
        const changed = { ...(entries[at] ?? random.pick(listing)), ...change };
        return { ...answer, body: JSON.stringify(entries.toSpliced(at, random.below(2), changed)) };
      },
      random.pick([0, 1, 1, 1, 2]),
    );
}

function entriesOf(body: string): object[] | undefined {
  try {
    const entries = JSON.parse(body) as unknown;
    const isList = Array.isArray(entries) && entries.length > 0;
    return isList && entries.every((one) => typeof one === "object" && one !== null)
      ? (entries as object[])
      : undefined;
  } catch {
    return undefined;
  }
}

function changedAnswer(
  input: Uint8Array,
  random: Random,
  change: (answer: Answer) => Answer,
  which?: number,
): Uint8Array {
  const answers = [...parse(input)];
  const at = which ?? random.below(Math.min(answers.length + 1, 7));
  answers[at] = change(answers[at] ?? { status: 200, headers: {}, body: "{}" });
  return json(Array.from(answers, (answer) => answer ?? null));
}

export const create: CreateTarget = async (folder) => {
  const hub = await HubServer.start();
  const commit = hub.add(repository, files);
  const home = join(folder, "home");
  const endpoint = hub.endpoint;
  const info = { _id: "1", id: repository, sha: commit, private: false };
  const listing = Object.entries(files).map(([path, bytes]) => ({
    type: "file",
    path,
    size: bytes.length,
    oid: createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex"),
  }));
  const right = { status: 200, headers: { "content-type": "application/json" } };
  return {
    seeds: [
      json([]),
      json([
        { ...right, body: JSON.stringify(info) },
        { ...right, body: JSON.stringify(listing) },
      ]),
      json([
        null,
        { ...right, body: JSON.stringify(listing) },
        { ...right, body: new TextDecoder().decode(files["open_clip_config.json"]) },
      ]),
      json([null, null, null, { status: 302, headers: { location: `${endpoint}/x` }, body: "" }]),
    ],
    mutations: [otherBody, otherHead, otherEntry(listing, commit), otherEntry(listing, commit)],
    async run(input) {
      const answers = parse(input);
      Object.assign(process.env, {
        HF_ENDPOINT: endpoint,
        HF_HOME: home,
        HF_HUB_CACHE: join(home, "hub"),
        HF_TOKEN: "hf_x",
      });
      rmSync(home, { recursive: true, force: true });
      let request = 0;
      hub.requests.length = 0;
      hub.fault = () => answers[request++] ?? undefined;
      // One attempt: waiting for the next would only take time.
      const retryPolicy = { maxAttempts: 1, initialDelay: 1, idleTimeout: 1000 };
      const report = await pullModel(repository, { retryPolicy });
      return `${report.files.length} files`;
    },
    maxSize: 16_384,
    close: () => hub.stop(),
  };
};
