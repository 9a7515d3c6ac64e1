/** `clipscope explain`: what in an image, and in a text, their similarity depends on. */
import type { Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import type { Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import type { Raster } from "../../lib/draw/raster.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { writeDrawings } from "../../lib/node/files/write-drawings.ts";
import { readImages } from "../../lib/node/images/read-images.ts";
import { deletionCurve } from "../../lib/study/saliency/deletion.ts";
import { labelDirection } from "../../lib/study/saliency/direction.ts";
import { drawMap, pooled } from "../../lib/study/saliency/map.ts";
import { explainImage, saliencyMethods, type SaliencyMethod } from "../../lib/study/saliency/methods.ts";
import { textRelevance } from "../../lib/study/saliency/relevance.ts";
import { leaveOneOut, tokenGradients } from "../../lib/study/saliency/tokens.ts";
import { patchGrid, shownImage } from "../../lib/study/shown-image.ts";
import { clean } from "../../lib/text/clean/clean.ts";
import { disposing } from "../../lib/tensor/disposing.ts";
import { collect, examples, positiveInteger, wholeNumber } from "../options/option-values.ts";
import { exifOption, standardInputImage } from "../options/with-images.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "../options/with-model.ts";
import { printable } from "../terminal/format.ts";
import { layOutTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface Options extends ModelOptions {
  readonly text: string;
  readonly against?: string[];
  readonly method?: string[];
  readonly out: string;
  readonly startLayer?: number;
  readonly steps?: number;
  readonly window?: number;
  readonly stride?: number;
  readonly deletion?: boolean;
  readonly tokens?: boolean;
  readonly exif?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("explain")
    .description(
      "Draw which parts of an image its similarity to a text depends on.\n" +
        "gradient: gradient x input. integrated: integrated gradients. relevance: Chefer's rule for attention. " +
        "occlusion: the score with a part of the image covered, a pass for each position of the window.",
    )
    .argument("<image>", "image file (- for standard input)")
    .requiredOption("--text <text>", "the text whose similarity is explained")
    .option(
      "--against <list>",
      "comma-separated other texts: explain what speaks for --text and not for them",
      collect,
    )
    .option("--method <name>", `${saliencyMethods.join(", ")}; may be repeated (default: relevance)`, collect)
    .requiredOption("--out <dir>", "write a PNG file for each method to this directory")
    .option("--start-layer <i>", "of relevance: the first layer that counts (default: 0)", wholeNumber)
    .option(
      "--steps <n>",
      "of integrated: points between the mean colour and the image (default: 16)",
      positiveInteger,
    )
    .option(
      "--window <pixels>",
      "of occlusion: side of the covered square (default: two patches)",
      positiveInteger,
    )
    .option(
      "--stride <pixels>",
      "of occlusion: from one window to the next (default: half a window)",
      positiveInteger,
    )
    .option(
      "--deletion",
      "check each map: cover the patches in its order, and print the mean score meanwhile",
    )
    .option("--tokens", "print what the score depends on in the text, token by token")
    .addOption(exifOption())
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addHelpText(
      "after",
      examples(
        'clipscope explain dog.jpg --text "a dog" --out why',
        'clipscope explain dog.jpg --text "a dog" --against "a cat,a horse" --method relevance --method occlusion --deletion --out why',
        'clipscope explain dog.jpg --text "ein Hund am Strand" --tokens --out why',
      ),
    )
    .action(async (image: string, _options: unknown, self: Command) => {
      await explain(image, self.optsWithGlobals(), terminal);
    });
}

function methodOf(value: string): SaliencyMethod {
  const method = saliencyMethods.find((known) => known === value);
  if (method === undefined) {
    throw new InputError(`--method "${value}": expected one of ${saliencyMethods.join(", ")}`);
  }
  return method;
}

interface Explained {
  readonly method: SaliencyMethod;
  readonly map: { readonly rows: number; readonly columns: number; readonly values: readonly number[] };
  /** Mean scores while patches are covered: the most important first, and the least important first. */
  readonly deletion?: { readonly largestFirst: number; readonly smallestFirst: number };
}

async function explain(path: string, options: Options, terminal: Terminal): Promise<void> {
  const { text, out, tokens = false, exif = false, json = false } = options;
  const methods = (options.method ?? ["relevance"]).map(methodOf);
  const against = (options.against ?? []).flatMap((list) => list.split(",")).map((one) => one.trim());
  checkTexts(text, against);
  const { startLayer, steps, window, stride } = options;
  const idle = Object.entries({
    "--start-layer": ["relevance", startLayer],
    "--steps": ["integrated", steps],
    "--window": ["occlusion", window],
    "--stride": ["occlusion", stride],
  } as const).find(([, [owner, value]]) => value !== undefined && !methods.includes(owner));
  if (idle) throw new InputError(`${idle[0]} requires --method ${idle[1][0]}`);
  await makeFolder(out);
  await withModel(options, terminal, async (model) => {
    const image = path === "-" ? standardInputImage(terminal) : path;
    const pixels = await readImages([image], model.preprocess, { exifOrientation: exif });
    const texts = await model.encodeText([text, ...against], { normalize: true }).catch((error: unknown) => {
      pixels.dispose();
      throw error;
    });
    const direction = labelDirection(texts, 0, against.length > 0);
    texts.dispose();
    try {
      const drawings = new Map<string, Raster>();
      const found: Explained[] = [];
      let score = NaN;
      for (const method of new Set(methods)) {
        const explained = await oneMethod(model, pixels, direction, method, options, terminal);
        score = explained.score;
        drawings.set(method, explained.drawing);
        found.push(explained.found);
      }
      const ofTokens = tokens ? await tokenRows(model, pixels, text) : null;
      const files = await writeDrawings(out, drawings, path === "-" ? [] : [path]);
      if (json) terminal.printJson({ score, methods: found, files, ...(ofTokens && { tokens: ofTokens }) });
      else {
        const others =
          against.length === 0
            ? ""
            : ` minus the mean of ${against.length} other${against.length === 1 ? "" : "s"}`;
        terminal.print(`score ${score.toFixed(4)}: cosine to ${printable(JSON.stringify(text))}${others}`);
        if (options.deletion === true) terminal.printLines(["", ...deletionTable(found, terminal)]);
        if (ofTokens) terminal.printLines(["", ...tokenTable(ofTokens, terminal)]);
        terminal.printLines(["", ...files]);
      }
    } finally {
      for (const tensor of [pixels, direction]) tensor.dispose();
    }
  });
}

function checkTexts(text: string, against: readonly string[]): void {
  if (clean(text) === "") throw new InputError("--text: expected a text, found a blank one");
  const blank = against.findIndex((one) => clean(one) === "");
  if (blank !== -1) throw new InputError(`--against: text ${blank + 1} is empty; remove it`);
}

async function oneMethod(
  model: Clip,
  pixels: Tensor4D,
  direction: Tensor2D,
  method: SaliencyMethod,
  options: Options,
  terminal: Terminal,
): Promise<{ score: number; drawing: Raster; found: Explained }> {
  const { startLayer, steps, window, stride, deletion = false } = options;
  return terminal.progress(async (show) => {
    const { score, map } = await explainImage(model, pixels, direction, method, {
      ...(startLayer !== undefined && { startLayer }),
      ...(steps !== undefined && { steps }),
      ...(window !== undefined && { window }),
      ...(stride !== undefined && { stride }),
      onProgress: (done, total) => {
        show({ done, total, unit: `passes of ${method}` });
      },
    });
    const ofPatches = pooled(map, patchGrid(model.config.vision));
    const areaFrom = async (first: "largest" | "smallest"): Promise<number> =>
      (await deletionCurve(model, pixels, map, direction, { first })).area;
    const areas = deletion && {
      largestFirst: await areaFrom("largest"),
      smallestFirst: await areaFrom("smallest"),
    };
    return {
      score,
      drawing: drawMap(await shownImage(pixels, model.preprocess), method === "occlusion" ? map : ofPatches),
      found: {
        method,
        map: { rows: ofPatches.rows, columns: ofPatches.columns, values: [...ofPatches.values] },
        ...(areas && { deletion: areas }),
      },
    };
  });
}

interface TokenRow {
  readonly token: string;
  readonly leaveOneOut: number | null;
  readonly gradient: number | null;
  readonly relevance: number;
}

/** The text's tokens, with the image's embedding as the direction. */
async function tokenRows(model: Clip, pixels: Tensor4D, text: string): Promise<TokenRow[]> {
  const tokenizer = await model.tokenizer();
  const row = tokenizer.encode(text);
  const { pieces } = tokenizer.tokenize(text);
  return disposing(await model.encodeImage(pixels, { normalize: true }), async (direction) => {
    const without = await leaveOneOut(model, row, direction);
    const gradients = await tokenGradients(model, row, direction);
    const { tokens: relevance } = await textRelevance(model, row, direction);
    return row.map((_, i) => ({
      token: pieces[i] ?? "",
      leaveOneOut: without.tokens[i]!,
      gradient: gradients.tokens[i]!,
      relevance: relevance[0]![i]!,
    }));
  });
}

function deletionTable(found: readonly Explained[], { width, colors }: Terminal): string[] {
  const { head, rows } = layOutTable(
    [
      { title: "mean score while patches are covered" },
      { title: "most important first", align: "right" },
      { title: "least important first", align: "right" },
    ],
    found.map(({ method, deletion }) => [
      method,
      deletion!.largestFirst.toFixed(4),
      deletion!.smallestFirst.toFixed(4),
    ]),
    { width },
  );
  return [colors.dim(head), ...rows];
}

function tokenTable(tokens: readonly TokenRow[], { width, colors }: Terminal): string[] {
  const shown = (value: number | null): string => (value === null ? "" : value.toFixed(4));
  const { head, rows } = layOutTable(
    [
      { title: "token", cut: "end" },
      ...["drop without it", "gradient", "relevance"].map((title) => ({ title, align: "right" as const })),
    ],
    tokens.map(({ token, leaveOneOut: drop, gradient, relevance }) => [
      printable(token),
      shown(drop),
      shown(gradient),
      shown(relevance),
    ]),
    { width },
  );
  return [colors.dim(head), ...rows];
}
