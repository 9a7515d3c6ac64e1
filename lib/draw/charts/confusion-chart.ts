import { InputError } from "../../errors/input-error.ts";
import { toBase64 } from "../../features/base64.ts";
import type { ConfusionMatrix } from "../../tasks/confusions.ts";
import { fitText, textWidth } from "../labels.ts";
import { encodePng } from "../png.ts";
import { heat, Raster, type Color } from "../raster.ts";
import { element, fontSize, svgFile, type Markup } from "../svg.ts";
import { percent } from "./axes.ts";

/** The width of the matrix in pixels, unless it would make the cells too large or too small. */
const matrixSize = 900;
const largestCell = 64;
/** With more classes than this, rows and columns have numbers instead of class names, and cells may be smaller. */
const smallestNamedCell = 12;
const mostNamedClasses = 120;
/** Larger cells show their percentage. */
const smallestCellWithText = 40;
/** More classes are drawn as an embedded PNG, which is smaller than an element for each cell. */
const mostClassesAsElements = 50;
const longestLabel = 180;
/** With a pixel for each cell, the image of more classes would take more than about 100 MB to draw. */
export const mostDrawnClasses = 4096;

/**
 * Draws a confusion matrix: rows are true classes, columns predicted classes; each row is divided by its number of
 * examples. Large matrices have numbers, from 1, in place of class names. Returns an SVG file.
 *
 * @throws InputError for more than 4,096 classes
 */
export async function confusionChart(
  classNames: readonly string[],
  evaluation: ConfusionMatrix,
): Promise<string> {
  const count = classNames.length;
  if (count > mostDrawnClasses) {
    throw new InputError(
      `a confusion matrix of ${count} classes cannot be drawn, expected at most ${mostDrawnClasses} classes`,
    );
  }
  const isNamed = count <= mostNamedClasses;
  const smallest = isNamed ? smallestNamedCell : 1;
  const cell = Math.min(largestCell, Math.max(smallest, Math.floor(matrixSize / count)));
  const size = cell >= 18 ? fontSize : 10;
  const labels = isNamed ? classNames.map((name) => fitText(name, longestLabel, size)) : numbers(count, cell);
  const margin = 42 + labels.reduce((widest, label) => Math.max(widest, textWidth(label, size)), 0);
  const side = count * cell;
  const scale = { left: margin + side + 24, height: Math.max(100, Math.min(side, 300)) };
  const cells = count <= mostClassesAsElements ? cellElements : cellImage;
  return svgFile(
    scale.left + 70,
    margin + Math.max(side, scale.height) + 24,
    `Confusion matrix of ${count} classes`,
    [
      ...(await cells(classNames, evaluation, margin, cell)),
      ...labels.flatMap((label, c) => classLabels(label, margin + (c + 0.5) * cell, margin, size)),
      element("text", { x: margin, y: 18 }, "predicted class →"),
      element("text", { x: 18, y: margin, ...turned(18, margin), "text-anchor": "end" }, "← true class"),
      ...colorScale(scale.left, margin, scale.height),
    ],
  );
}

/** Every 10th, 50th or 100th number, as far apart as labels need; the others are empty. */
function numbers(count: number, cell: number): string[] {
  const step = [10, 20, 50, 100, 200, 500, 1000].find((many) => many * cell >= 40) ?? 5000;
  return Array.from({ length: count }, (_, c) => ((c + 1) % step === 0 ? `${c + 1}` : ""));
}

function turned(x: number, y: number): { readonly transform: string } {
  return { transform: `rotate(-90 ${x} ${y})` };
}

/** The label of a row and of a column, `at` pixels from the corner. */
function classLabels(label: string, at: number, margin: number, size: number): Markup[] {
  if (label === "") return [];
  const [middle, edge] = [at + 0.35 * size, margin - 8];
  const font = { "font-size": size };
  return [
    element("text", { x: edge, y: middle, "text-anchor": "end", ...font }, label),
    element("text", { x: middle, y: edge, ...turned(middle, edge), ...font }, label),
  ];
}

function shareOf({ confusion, classes }: ConfusionMatrix, row: number, column: number): number {
  const { examples } = classes[row]!;
  return examples === 0 ? 0 : (confusion[row]!.get(column) ?? 0) / examples;
}

function cellElements(
  classNames: readonly string[],
  evaluation: ConfusionMatrix,
  margin: number,
  cell: number,
): Markup[] {
  const side = classNames.length * cell;
  const cells = [element("rect", { x: margin, y: margin, width: side, height: side, fill: hex(heat(0)) })];
  for (const [row, counts] of evaluation.confusion.entries()) {
    for (const [column, predicted] of [...counts].sort(([a], [b]) => a - b)) {
      const share = shareOf(evaluation, row, column);
      const [x, y] = [margin + column * cell, margin + row * cell];
      const about =
        `${classNames[row]} classified as ${classNames[column]}: ` +
        `${predicted} of ${evaluation.classes[row]!.examples}`;
      cells.push(
        element(
          "rect",
          { x, y, width: cell, height: cell, fill: hex(heat(share)) },
          element("title", {}, about),
        ),
      );
      if (cell < smallestCellWithText) continue;
      const [middleX, middleY] = [x + cell / 2, y + cell / 2 + 0.35 * fontSize];
      const color = share > 0.6 ? "#000000" : "#ffffff";
      cells.push(
        element(
          "text",
          { x: middleX, y: middleY, "text-anchor": "middle", fill: color, "pointer-events": "none" },
          percent(share),
        ),
      );
    }
  }
  return cells;
}

async function cellImage(
  classNames: readonly string[],
  evaluation: ConfusionMatrix,
  margin: number,
  cell: number,
): Promise<Markup[]> {
  const count = classNames.length;
  const raster = new Raster(count, count).paint((column, row) => heat(shareOf(evaluation, row, column)));
  const side = count * cell;
  const image = {
    x: margin,
    y: margin,
    width: side,
    height: side,
    preserveAspectRatio: "none",
    style: "image-rendering: pixelated",
    href: `data:image/png;base64,${toBase64(await encodePng(raster.enlarged(cell)))}`,
  };
  return [element("image", image)];
}

function hex(color: Color): string {
  return `#${color.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** The legend of the colours, from 0 to 100 %. */
function colorScale(left: number, top: number, height: number): Markup[] {
  const steps = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const stops = steps.map((step) => element("stop", { offset: step / 8, "stop-color": hex(heat(step / 8)) }));
  const gradient = element("linearGradient", { id: "share", x1: 0, y1: 1, x2: 0, y2: 0 }, ...stops);
  const ticks = [0, 0.5, 1].map((share) =>
    element("text", { x: left + 22, y: top + height * (1 - share) + 4 }, percent(share)),
  );
  const middle = top + height + 20;
  return [
    element("defs", {}, gradient),
    element("rect", { x: left, y: top, width: 16, height, fill: "url(#share)" }),
    ...ticks,
    element("text", { x: left, y: middle, "font-size": 11 }, "of true class"),
  ];
}
