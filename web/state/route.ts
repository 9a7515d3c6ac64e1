/** The state of the page that its address holds, and the codec between the two. */
import { pageBackends, type PageBackend } from "../worker/protocol.ts";
import { viewNames, type ViewName } from "./views.ts";

/** What is shown of a head: one token's attention, the attention that reaches it, or the rollout up to the layer. */
export const attentionModes = ["from", "to", "rollout"] as const;
export type AttentionMode = (typeof attentionModes)[number];

/** The tower that a view shows, where it shows one. */
export const towerNames = ["image", "text"] as const;
export type TowerName = (typeof towerNames)[number];

/** What the lines of the lens show. */
export const lensScores = ["probabilities", "logits", "cosines"] as const;
export type LensScore = (typeof lensScores)[number];

/** Methods that explain an image's score, as in lib/study/saliency/methods.ts. */
export const methodNames = ["gradient", "integrated", "relevance", "occlusion"] as const;
export type MethodName = (typeof methodNames)[number];

/** The part of the pass that an intervention replaces. */
export const partNames = ["head", "attention", "mlp", "token"] as const;
export type PartName = (typeof partNames)[number];

/** What replaces it. */
export const replacements = ["zero", "mean", "other"] as const;
export type ReplacementName = (typeof replacements)[number];
/** What can be compared besides dropped files: the current inputs, those pinned as B, and the dropped model on the current. */
export const sideNames = ["current", "pinned", "model"] as const;

/** The goldens that the page has, in the folder of the demo model. */
export const goldenNames = ["both-towers", "text-tower"] as const;

export const comparedModels = ["page", "dropped"] as const;
export type ComparedModel = (typeof comparedModels)[number];

/** What a search begins with: a text, the current image, or a row of the features. */
export const searchKinds = ["text", "image", "row"] as const;
export type SearchKind = (typeof searchKinds)[number];

/** A class of images that a probe is fitted on. */
export interface ImageClass {
  readonly name: string;
  /** Keys, as `image`. */
  readonly images: readonly string[];
}

/** How a vector for each token becomes one for the image. */
export const poolNames = ["class", "mean"] as const;
export type PoolName = (typeof poolNames)[number];

/** What a cell of the matrix of images and labels shows. */
export const scoreKinds = ["cosine", "logit", "labels", "images"] as const;
export type ScoreKind = (typeof scoreKinds)[number];

export interface Route {
  /** Where the page's network computes. */
  readonly backend: PageBackend;
  /** The step of the walk, from 1; null outside it. */
  readonly walk: number | null;
  readonly view: ViewName;
  /** "s:NAME" is a sample, "sha:HEX" an image of the user; null for the first image of the tray. */
  readonly image: string | null;
  readonly text: string | null;
  /** The image and the text that are pinned as B. */
  readonly imageB: string | null;
  readonly textB: string | null;
  /** The sides of a comparison, as `sideNames`, or "file:" and the name of a dropped trace. */
  readonly sideA: string;
  readonly sideB: string;
  /** A golden: the name of one that the page has, or "file:" and the name of a dropped golden or report. */
  readonly golden: string;
  /** Whether each module is given the golden's input. */
  readonly isolated: boolean;
  /** The network that is compared with the golden: the page's own, or that of a dropped model directory. */
  readonly compared: ComparedModel;
  /** The text to search for; null for the current one. */
  readonly query: string | null;
  readonly searchBy: SearchKind;
  /** The row of the features file whose neighbours are searched. */
  readonly row: number;
  /** Images of the tray by class; null for the default classes. */
  readonly classes: readonly ImageClass[] | null;
  /** The module whose output a probe is fitted on. */
  readonly probeTap: string;
  readonly pool: PoolName;
  /** Inverse of the penalty's strength. */
  readonly C: number;
  /** The selected tap. */
  readonly tap: string | null;
  readonly layer: number;
  /** Null is the mean over heads. */
  readonly head: number | null;
  /** The token whose attention is shown; 0 is the class token. */
  readonly token: number;
  readonly mode: AttentionMode;
  readonly tower: TowerName;
  /** A state of the residual stream: 0 is what block 0 takes, i the output of block i − 1. */
  readonly state: number;
  /** Whether colours have the same meaning in all maps, not the range of each. */
  readonly absolute: boolean;
  /** The tensor whose distribution is shown; null for the first one. */
  readonly weight: string | null;
  /** The text that the current one is compared with; null for the next one of the tray. */
  readonly other: string | null;
  /** The layer of the lens's map; null for the last one. */
  readonly lensLayer: number | null;
  /** The label of the lens's map; null for the best one. */
  readonly label: string | null;
  readonly lensScore: LensScore;
  readonly method: MethodName;
  /** The first layer that counts for the relevance. */
  readonly startLayer: number;
  /** Of integrated gradients. */
  readonly steps: number;
  /** Of the occlusion: the window's side in patches. */
  readonly window: number;
  /** Whether the score is the label's cosine minus the mean of the others'. */
  readonly against: boolean;
  readonly part: PartName;
  readonly by: ReplacementName;
  /** The image that values are taken from, as `image`; null for the next one of the tray. */
  readonly donor: string | null;
  /** Null for the default labels. */
  readonly labels: readonly string[] | null;
  readonly templates: readonly string[];
  readonly score: ScoreKind;
  /** The factor of the cosine; null for the model's own. */
  readonly scale: number | null;
  /** Parameters that this version does not know. They are kept. */
  readonly unknown: readonly (readonly [name: string, value: string])[];
}

export const home: Route = {
  walk: null,
  view: "pass",
  image: null,
  text: null,
  imageB: null,
  textB: null,
  sideA: "current",
  sideB: "pinned",
  backend: "wasm",
  golden: "both-towers",
  isolated: false,
  compared: "page",
  query: null,
  searchBy: "text",
  row: 0,
  classes: null,
  probeTap: "visual",
  pool: "class",
  C: 0.316,
  tap: null,
  layer: 0,
  head: 0,
  token: 0,
  mode: "from",
  tower: "image",
  state: 1,
  weight: null,
  other: null,
  lensLayer: null,
  label: null,
  lensScore: "probabilities",
  method: "occlusion",
  startLayer: 0,
  steps: 16,
  window: 2,
  against: true,
  part: "head",
  by: "zero",
  donor: null,
  absolute: false,
  labels: null,
  templates: ["{}"],
  score: "cosine",
  scale: null,
  unknown: [],
};

/** A route, and what was wrong with the address. */
export interface ParsedRoute {
  readonly route: Route;
  readonly problems: readonly string[];
}

type Field = Exclude<keyof Route, "view" | "unknown">;

/** How a field is written. `read` returns undefined for a value that is not valid. */
interface Codec<T> {
  readonly key: string;
  readonly expected: string;
  readonly write: (value: T) => string;
  readonly read: (text: string) => T | undefined;
}

const anyText = {
  expected: "a text",
  write: (text: string | null) => text ?? "",
  read: (text: string) => text,
};

/** An input of the network. */
const someText = { ...anyText, read: (text: string) => (text === "" ? undefined : text) };

const imageKey = {
  expected: "s:NAME or sha:HEX",
  write: (value: string | null) => value ?? "",
  read: (text: string) => (/^(s:[\w-]+|sha:[0-9a-f]{64})$/.test(text) ? text : undefined),
};

function isFile(text: string): boolean {
  return /^file:./s.test(text);
}

const side = {
  expected: `${sideNames.join(", ")} or file:NAME`,
  write: (value: string) => value,
  read: (text: string) =>
    (sideNames as readonly string[]).includes(text) || isFile(text) ? text : undefined,
};

function choice<T extends string>(key: string, values: readonly T[]): Codec<T> {
  return {
    key,
    expected: `one of ${values.join(", ")}`,
    write: (value) => value,
    read: (text) => values.find((value) => value === text),
  };
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function positiveNumber(text: string): number | undefined {
  const value = wholeNumber(text);
  return value === 0 ? undefined : value;
}

function list(text: string): string[] {
  return text.split("\n");
}

function readClasses(text: string): ImageClass[] | undefined {
  const classes = list(text).map((line) => {
    const [name = "", ...images] = line.split("\t");
    return { name, images };
  });
  const isValid = classes.every(
    ({ name, images }) => name !== "" && images.every((key) => imageKey.read(key) !== undefined),
  );
  return isValid ? classes : undefined;
}

const codecs: { readonly [F in Field]: Codec<Route[F]> } = {
  backend: choice("backend", pageBackends),
  walk: {
    key: "walk",
    expected: "a whole number above 0",
    write: (value) => (value === null ? "" : `${value}`),
    read: positiveNumber,
  },
  image: { ...imageKey, key: "img" },
  text: { key: "txt", ...someText },
  imageB: { ...imageKey, key: "b.img" },
  textB: { key: "b.txt", ...someText },
  sideA: { key: "side.a", ...side },
  sideB: { key: "side.b", ...side },
  golden: {
    key: "golden",
    expected: `${goldenNames.join(", ")} or file:NAME`,
    write: (value) => value,
    read: (text) => ((goldenNames as readonly string[]).includes(text) || isFile(text) ? text : undefined),
  },
  isolated: {
    key: "isolated",
    expected: "on or off",
    write: (value) => (value ? "on" : "off"),
    read: (text) => (text === "on" ? true : text === "off" ? false : undefined),
  },
  compared: choice("model", comparedModels),
  query: { key: "q", ...anyText },
  searchBy: choice("search", searchKinds),
  classes: {
    key: "classes",
    expected: "a class a line: its name, and keys of images, separated by tabs",
    write: (value) => value?.map(({ name, images }) => [name, ...images].join("\t")).join("\n") ?? "",
    read: readClasses,
  },
  probeTap: { key: "probe", ...anyText },
  pool: choice("pool", poolNames),
  C: {
    key: "C",
    expected: "a number above 0",
    write: String,
    read: (text) => (/^\d+(\.\d+)?(e[+-]?\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : undefined),
  },
  row: { key: "row", expected: "a whole number", write: String, read: wholeNumber },
  tap: { key: "tap", ...anyText },
  layer: { key: "L", expected: "a whole number", write: String, read: wholeNumber },
  head: {
    key: "H",
    expected: "a whole number or mean",
    write: (value) => (value === null ? "mean" : `${value}`),
    read: (text) => (text === "mean" ? null : wholeNumber(text)),
  },
  token: { key: "tok", expected: "a whole number", write: String, read: wholeNumber },
  mode: choice("mode", attentionModes),
  tower: choice("tower", towerNames),
  state: { key: "state", expected: "a whole number", write: String, read: wholeNumber },
  absolute: {
    key: "scale",
    expected: "abs or each",
    write: (value) => (value ? "abs" : "each"),
    read: (text) => (text === "abs" ? true : text === "each" ? false : undefined),
  },
  weight: { key: "weight", ...anyText },
  other: { key: "other", ...anyText },
  lensLayer: {
    key: "layer",
    expected: "a whole number or last",
    write: (value) => (value === null ? "last" : `${value}`),
    read: (text) => (text === "last" ? null : wholeNumber(text)),
  },
  label: { key: "label", ...anyText },
  lensScore: choice("lens", lensScores),
  method: choice("method", methodNames),
  startLayer: { key: "from", expected: "a whole number", write: String, read: wholeNumber },
  steps: { key: "steps", expected: "a whole number above 0", write: String, read: positiveNumber },
  window: { key: "window", expected: "a whole number above 0", write: String, read: positiveNumber },
  against: {
    key: "against",
    expected: "others or nothing",
    write: (value) => (value ? "others" : "nothing"),
    read: (text) => (text === "others" ? true : text === "nothing" ? false : undefined),
  },
  part: choice("part", partNames),
  by: choice("by", replacements),
  donor: { ...imageKey, key: "donor" },
  labels: {
    key: "labels",
    expected: "labels, one a line",
    write: (value) => value?.join("\n") ?? "",
    read: (text) => (text === "" ? undefined : list(text)),
  },
  templates: {
    key: "tpl",
    expected: 'templates with "{}", one a line',
    write: (value) => value.join("\n"),
    read: (text) => (list(text).every((line) => line.includes("{}")) ? list(text) : undefined),
  },
  score: choice("score", scoreKinds),
  scale: {
    key: "temp",
    expected: "a number above 0",
    write: (value) => `${value}`,
    read: (text) => (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : undefined),
  },
};

const fields = Object.keys(codecs) as Field[];

/** The address after `#`, without the fields that have their defaults. */
export function formatRoute(route: Route): string {
  const parameters = new URLSearchParams();
  for (const field of fields) writeField(field, route, parameters);
  for (const [name, value] of route.unknown) parameters.append(name, value);
  const query = parameters.toString();
  return `#/${route.view}${query === "" ? "" : `?${query}`}`;
}

function writeField(field: Field, route: Route, parameters: URLSearchParams): void {
  const { key, write } = codecs[field] as Codec<Route[Field]>;
  const text = write(route[field]);
  if (text !== write(home[field])) parameters.append(key, text);
}

/** Never throws: what cannot be read has its default, and is a problem. */
export function parseRoute(hash: string): ParsedRoute {
  const [path = "", query = ""] = splitOnce(hash.replace(/^#\/?/, ""), "?");
  const problems: string[] = [];
  const known = viewNames.find((view) => view === path);
  if (known === undefined && path !== "") {
    problems.push(`There is no view "${path}"; this is the view "${home.view}".`);
  }
  const changed: Record<string, unknown> = {};
  const unknown: [string, string][] = [];
  for (const [name, value, encoded] of parametersOf(query)) {
    const field = fields.find((one) => codecs[one].key === name);
    if (field === undefined) unknown.push([name, value]);
    else {
      const { read, expected } = codecs[field];
      const parsed = isDamaged(value, encoded) ? undefined : read(value);
      if (parsed === undefined) problems.push(`${name}: expected ${expected}, found "${value}".`);
      else changed[field] = parsed;
    }
  }
  return { route: { ...home, ...(changed as Partial<Route>), view: known ?? home.view, unknown }, problems };
}

/** Names and values, each with the part of the query that it was decoded from. */
function parametersOf(query: string): [name: string, value: string, encoded: string][] {
  return query
    .split("&")
    .flatMap((encoded) =>
      [...new URLSearchParams(`?${encoded}`)].map(([name, value]): [string, string, string] => [
        name,
        value,
        encoded,
      ]),
    );
}

/** Whether bytes of a value were no UTF-8, for which U+FFFD stands. */
function isDamaged(value: string, encoded: string): boolean {
  return value.includes("\ufffd") && !/\ufffd|%EF%BF%BD/i.test(encoded);
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
