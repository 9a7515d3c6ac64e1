/** Pictures of what probes do: accuracy against depth, the confusion matrix, calibration. */
import { Lettering } from "../node/files/lettering.ts";
import { heat, Raster, type Color } from "../draw/raster.ts";
import type { CalibrationBin, Evaluation } from "./evaluate.ts";
import type { LayerFigures } from "./layers.ts";

const ink: Color = [40, 40, 40];
const faint: Color = [225, 225, 225];
const strong: Color = [31, 98, 170];
const weak: Color = [170, 170, 170];

/** Where a chart's axes are, in pixels. */
interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function percents(fraction: number): string {
  return `${Math.round(100 * fraction)}%`;
}

/** Lines across, with what they stand for at their left; `bottom` is what the frame's lower edge stands for. */
function gridOf(raster: Raster, { left, top, width, height }: Frame, bottom: number, font: Lettering): void {
  for (let tenth = Math.round(bottom * 10); tenth <= 10; tenth++) {
    const y = Math.round(top + (height * (1 - tenth / 10)) / (1 - bottom));
    raster.fill(left, y, width, 1, faint);
    const label = percents(tenth / 10);
    font.write(raster, label, left - font.width(label) - 8, y - Math.round(font.height / 2), { color: ink });
  }
}

/** The accuracies of the probes of all layers, from the first block to the embedding. */
export async function layersPicture(figures: readonly LayerFigures[]): Promise<Raster> {
  const font = await Lettering.load(14);
  const frame: Frame = { left: 60, top: 50, width: Math.max(480, 26 * figures.length), height: 320 };
  const raster = new Raster(frame.left + frame.width + 30, frame.top + frame.height + 60);
  const all = figures.flatMap(({ acc1, trainingAccuracy }) => [acc1, trainingAccuracy]);
  const bottom = Math.min(Math.floor(Math.min(...all) * 10), 9) / 10;
  gridOf(raster, frame, bottom, font);
  const x = (i: number): number => frame.left + (frame.width * (i + 0.5)) / figures.length;
  const y = (value: number): number => frame.top + (frame.height * (1 - value)) / (1 - bottom);
  const draw = (values: readonly number[], color: Color): void => {
    for (const [i, value] of values.entries()) {
      if (i > 0) raster.line(x(i - 1), y(values[i - 1]!), x(i), y(value), 2, color);
      raster.line(x(i), y(value), x(i), y(value), 7, color);
    }
  };
  draw(
    figures.map(({ trainingAccuracy }) => trainingAccuracy),
    weak,
  );
  draw(
    figures.map(({ acc1 }) => acc1),
    strong,
  );
  const below = frame.top + frame.height + 8;
  for (const i of figures.keys()) {
    const label = i === figures.length - 1 ? "emb" : `${i}`;
    font.write(raster, label, Math.round(x(i) - font.width(label) / 2), below, { color: ink });
  }
  const axis = "block of the image tower; emb: the embedding";
  font.write(raster, axis, Math.round(frame.left + (frame.width - font.width(axis)) / 2), below + 24, {
    color: ink,
  });
  let at = frame.left;
  for (const [text, color] of [
    ["accuracy on the test images", strong],
    ["on those it was fitted on", weak],
  ] as const) {
    raster.fill(at, 23, 18, 4, color);
    font.write(raster, text, at + 26, 15, { color: ink });
    at += 26 + font.width(text) + 30;
  }
  return raster;
}

/**
 * A name without accents or, where the font lacks its letters, its number, from 1 as in the tables; cut where it is too
 * long.
 */
function legible(className: string, c: number, font: Lettering, longest: number): string {
  const name = className.normalize("NFKD").replace(/\p{Mn}/gu, "");
  if (!font.has(name)) return `${c + 1}`;
  if (font.width(name) <= longest) return name;
  let cut = name;
  while (cut !== "" && font.width(`${cut}...`) > longest) cut = cut.slice(0, -1);
  return `${cut}...`;
}

/** The picture's cells are to be no smaller than this for names to stand beside them. */
const smallestNamed = 12;
const matrixSize = 900;

/** Rows are right classes, columns classes given; each row is divided by its examples. */
export async function confusionPicture(
  classNames: readonly string[],
  { confusion, classes }: Pick<Evaluation, "confusion" | "classes">,
): Promise<Raster> {
  const count = classNames.length;
  const cell = Math.min(64, Math.max(count <= 120 ? smallestNamed : 1, Math.floor(matrixSize / count)));
  const font = await Lettering.load(cell >= 18 ? 14 : 10);
  const title = await Lettering.load(14);
  const isNamed = cell >= smallestNamed;
  // Without names every 50th or 100th … number, so that they stand apart.
  const step = isNamed ? 1 : 10 ** Math.ceil(Math.log10(40 / cell));
  const labels = classNames.map((name, c) => (isNamed ? legible(name, c, font, 180) : `${c + 1}`));
  const shown = labels.flatMap((label, c) => (isNamed || (c + 1) % step === 0 ? [{ label, c }] : []));
  const margin = 40 + Math.max(...shown.map(({ label }) => font.width(label)), title.height);
  const size = count * cell;
  const bar = { left: margin + size + 24, width: 16 };
  const raster = new Raster(bar.left + bar.width + 50, margin + Math.max(size, 120) + 20);

  for (const [row, counts] of confusion.entries()) {
    const { examples } = classes[row]!;
    for (const [column, given] of counts.entries()) {
      const share = examples === 0 ? 0 : given / examples;
      const [x, y] = [margin + column * cell, margin + row * cell];
      raster.fill(x, y, cell, cell, heat(share));
      if (cell < 40) continue;
      const text = percents(share);
      const color: Color = share > 0.6 ? [0, 0, 0] : [255, 255, 255];
      font.write(
        raster,
        text,
        Math.round(x + (cell - font.width(text)) / 2),
        Math.round(y + (cell - font.height) / 2),
        { color },
      );
    }
  }
  for (const { label, c } of shown) {
    const middle = Math.round(margin + (c + 0.5) * cell - font.height / 2);
    font.write(raster, label, margin - font.width(label) - 8, middle, { color: ink });
    font.write(raster, label, middle, margin - font.width(label) - 8, { color: ink, turned: true });
  }
  title.write(raster, "class given", margin, 6, { color: ink });
  title.write(raster, "right class", 6, margin, { color: ink, turned: true });

  const barHeight = Math.max(100, Math.min(size, 300));
  for (let y = 0; y < barHeight; y++)
    raster.fill(bar.left, margin + y, bar.width, 1, heat(1 - y / (barHeight - 1)));
  for (const [text, y] of [
    ["100%", 0],
    ["0%", barHeight - title.height],
  ] as const) {
    title.write(raster, text, bar.left + bar.width + 6, margin + y, { color: ink });
  }
  return raster;
}

/** Accuracy against probability: a probe that is sure as often as it is right has its bars end on the diagonal. */
export async function reliabilityPicture({
  calibration,
  calibrationError,
}: Pick<Evaluation, "calibration" | "calibrationError">): Promise<Raster> {
  const font = await Lettering.load(14);
  const frame: Frame = { left: 60, top: 50, width: 360, height: 360 };
  const raster = new Raster(frame.left + frame.width + 30, frame.top + frame.height + 60);
  gridOf(raster, frame, 0, font);
  const { left, top, width, height } = frame;
  const total = calibration.reduce((sum, { examples }) => sum + examples, 0);
  for (const [i, bin] of calibration.entries()) drawBin(i, bin);
  raster.line(left, top + height, left + width, top, 1.5, ink);
  for (const tenth of [0, 2, 4, 6, 8, 10]) {
    const label = percents(tenth / 10);
    const x = left + (width * tenth) / 10;
    font.write(raster, label, Math.round(x - font.width(label) / 2), top + height + 8, { color: ink });
  }
  const axis = "probability of the class given; darker: more examples";
  font.write(raster, axis, Math.round(left + (width - font.width(axis)) / 2), top + height + 32, {
    color: ink,
  });
  const head = `accuracy of ${total} examples; calibration error ${(100 * calibrationError).toFixed(1)}%`;
  font.write(raster, head, left, 15, { color: ink });
  return raster;

  /** The more examples a bar stands for, the darker it is. */
  function drawBin(i: number, { examples, accuracy }: CalibrationBin): void {
    if (examples === 0) return;
    const from = Math.round(left + (width * i) / calibration.length) + 1;
    const to = Math.round(left + (width * (i + 1)) / calibration.length) - 1;
    const bar = Math.max(1, Math.round(height * accuracy));
    const strength = 0.25 + 0.75 * (examples / total);
    const color = strong.map((part) => 255 + (part - 255) * strength) as [number, number, number];
    raster.fill(from, top + height - bar, to - from, bar, color);
  }
}
