/**
 * What each tap is, from the tables of docs/architecture.md: value, shape, weights, file and paper. The document is the
 * only place where these are written.
 */

/** A link to a paper or a page. */
export interface Link {
  readonly text: string;
  readonly url: string;
}

/** A row of the tables. */
export interface TapDoc {
  /** Full names; `{i}` stands for the number of a block. */
  readonly names: readonly string[];
  readonly value: string;
  /** With the letters of the document's table of sizes: "[B, L, D]". */
  readonly shape: string;
  /** Keys after the module's prefix, with their stored shapes; empty if it has none. */
  readonly weights: string;
  /** Paths of source files. */
  readonly files: readonly string[];
  readonly papers: readonly Link[];
}

/** Parses the tables whose first column is "tap". */
export function parseTapDocs(markdown: string): TapDoc[] {
  const docs: TapDoc[] = [];
  let prefix = "";
  let folder = "";
  let rows: "none" | "head" | "body" = "none";
  for (const line of markdown.split("\n")) {
    // The text tower's files are given without their folder.
    if (line.startsWith("## ")) folder = line.endsWith("`text`") ? "lib/clip/text/xlm-roberta/" : "";
    const blocks = /with the prefix\s+`([^`]+)`/.exec(line);
    if (blocks) prefix = blocks[1]!;
    if (/^\| tap +\|/.test(line)) {
      rows = "head";
      continue;
    }
    if (!line.startsWith("|")) {
      rows = "none";
      continue;
    }
    if (rows === "none") continue;
    if (/^\|[ -|]+$/.test(line) && !/[a-z]/i.test(line)) {
      rows = "body";
      continue;
    }
    if (rows === "body") docs.push(parseRow(line, { prefix, folder }, docs.at(-1)));
  }
  return docs;
}

interface Place {
  readonly prefix: string;
  readonly folder: string;
}

function parseRow(line: string, { prefix, folder }: Place, before: TapDoc | undefined): TapDoc {
  const cells = line
    .slice(1, line.lastIndexOf("|"))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
  const [tap = "", value = "", shape = "", weights = "", file = ""] = cells;
  return {
    names: namesOf(tap, prefix, before),
    value: plain(value),
    shape,
    weights: plain(weights),
    files: [...file.matchAll(/`([\w./-]+\.ts|[\w./-]+\/)`/g)].map(([, path = ""]) =>
      path.includes("/") ? path : `${folder}${path}`,
    ),
    papers: [
      ...[...file.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, text = "", url = ""]) => ({ text, url })),
      ...[...file.matchAll(/ViT eq\. \d/g)].map(([text]) => ({
        text: `${text} (arXiv 2010.11929)`,
        url: "https://arxiv.org/abs/2010.11929",
      })),
    ],
  };
}

/**
 * The full names of a cell. "`.mlp.c_proj`, `.mlp`" and "the prefix itself" follow the prefix of their blocks, "`….x`"
 * is a sibling of the row before, and "`.key`" after "`.self.query`" is one of the first name in the cell.
 */
function namesOf(cell: string, prefix: string, before: TapDoc | undefined): string[] {
  const full: string[] = [];
  for (const [, name = ""] of cell.matchAll(/`([^`]+)`/g)) {
    const [first] = full;
    if (name.startsWith("…")) full.push(siblingOf(before?.names[0] ?? "", name.slice(1)));
    else if (!/^[.#]/.test(name)) full.push(name);
    else if (first === undefined || first.startsWith(prefix + name)) full.push(prefix + name);
    else full.push(siblingOf(first, name));
  }
  if (cell.includes("the prefix itself")) full.push(prefix);
  return full;
}

/** "a.b" and ".c" give "a.c"; "a#b" and "#c" give "a#c". */
function siblingOf(name: string, ending: string): string {
  return name.slice(0, name.lastIndexOf(ending[0]!)) + ending;
}

function plain(cell: string): string {
  return cell.replace(/`/g, "").replace(/\[([^\]]+)\]\([^)]+\)/g, "$1");
}

/** The row of a tap; undefined if the document has none. */
export function docOf(name: string, docs: readonly TapDoc[]): TapDoc | undefined {
  const general = name.replace(/\.(resblocks|layer)\.\d+(?=[.#]|$)/, ".$1.{i}");
  return docs.find(({ names }) => names.includes(general));
}
