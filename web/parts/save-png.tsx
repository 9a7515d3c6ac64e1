/** Saves maps side by side as a PNG image, each with its title and legend. */
import type { RgbImage } from "../../lib/studio/results.ts";
import { download } from "../state/download.ts";
import { notifyError } from "../state/notices.ts";
import { colourOf, drawnRange, type ColourMap } from "./colour.ts";
import { rough } from "./format.ts";
import { Icon } from "./icon.tsx";
import { drawRaster } from "./raster-canvas.tsx";

export interface DrawnMap {
  readonly title: string;
  readonly image: RgbImage;
  readonly map: ColourMap;
  readonly range: readonly [number, number];
  readonly unit: string;
  /** Whether colours are interpolated between pixels, as over images. */
  readonly smooth?: boolean;
}

interface Props {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly maps: () => readonly DrawnMap[];
}

export function SavePng({ name, maps }: Props) {
  return (
    <button
      type="button"
      onClick={() => {
        savePng(name, maps());
      }}
    >
      <Icon name="save" /> PNG
    </button>
  );
}

/** @param name of the file, without its ending */
export function savePng(name: string, maps: readonly DrawnMap[]): void {
  pngOf(maps).then((bytes) => {
    download(`${name}.png`, "image/png", bytes);
  }, notifyError);
}

/** In pixels: the width of a map, the space around it, and the lines of its title and legend. */
const width = 420;
const gap = 20;
const line = 22;

async function pngOf(maps: readonly DrawnMap[]): Promise<Uint8Array<ArrayBuffer>> {
  const heights = maps.map(({ image }) => Math.max(Math.round((image.height * width) / image.width), 120));
  const canvas = document.createElement("canvas");
  canvas.width = gap + maps.length * (width + gap);
  canvas.height = 2 * gap + Math.max(...heights) + 3 * line;
  const context = canvas.getContext("2d")!;
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const [i, map] of maps.entries()) {
    context.save();
    context.translate(gap + i * (width + gap), gap);
    drawMap(context, map, heights[i]!);
    context.restore();
  }
  return encodePng(canvas);
}

async function encodePng(canvas: HTMLCanvasElement): Promise<Uint8Array<ArrayBuffer>> {
  const blob = await new Promise<Blob | null>((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
  if (blob === null) throw new Error("the browser could not encode the image");
  return new Uint8Array(await blob.arrayBuffer());
}

interface CanvasProps {
  /** Of the file, without its ending. */
  readonly name: string;
  /** Finds the canvas within the figure that holds the button. */
  readonly selector: string;
}

/** Saves a canvas of the same figure, on the page's ground. */
export function SaveCanvas({ name, selector }: CanvasProps) {
  return (
    <button
      type="button"
      onClick={(event) => {
        const drawn = event.currentTarget.closest("figure")!.querySelector<HTMLCanvasElement>(selector)!;
        const copy = document.createElement("canvas");
        copy.width = drawn.width;
        copy.height = drawn.height;
        const context = copy.getContext("2d")!;
        context.fillStyle = getComputedStyle(drawn).backgroundColor;
        context.fillRect(0, 0, copy.width, copy.height);
        context.drawImage(drawn, 0, 0);
        encodePng(copy).then((bytes) => {
          download(`${name}.png`, "image/png", bytes);
        }, notifyError);
      }}
    >
      <Icon name="save" /> PNG
    </button>
  );
}

function drawMap(context: CanvasRenderingContext2D, drawn: DrawnMap, height: number): void {
  const raster = document.createElement("canvas");
  drawRaster(raster, drawn.image);
  context.fillStyle = "#191b1f";
  context.font = "13px system-ui, sans-serif";
  context.fillText(drawn.title, 0, 13, width);
  context.imageSmoothingEnabled = drawn.smooth ?? false;
  context.drawImage(raster, 0, line, width, height);
  const top = line + height + 8;
  for (let x = 0; x < width; x++) {
    context.fillStyle = `rgb(${colourOf(x / (width - 1), drawn.map)
      .map(Math.round)
      .join(" ")})`;
    context.fillRect(x, top, 1, 10);
  }
  const [low, high] = drawnRange(drawn.range, drawn.map);
  context.fillStyle = "#5b5f66";
  context.font = "12px system-ui, sans-serif";
  for (const [text, align, x] of [
    [rough(low), "left", 0],
    [drawn.unit, "center", width / 2],
    [rough(high), "right", width],
  ] as const) {
    context.textAlign = align;
    context.fillText(text, x, top + 26, width / 2);
  }
}
