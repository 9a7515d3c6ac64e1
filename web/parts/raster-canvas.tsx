/** An RGB image on a canvas, one canvas pixel per pixel. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { RgbImage } from "../../lib/studio/results.ts";

interface Props {
  readonly image: RgbImage;
  /** What the image shows, for those who do not see it; empty if a text beside it says the same. */
  readonly label: string;
  readonly smooth?: boolean;
  readonly class?: string;
}

export function RasterCanvas({ image, label, smooth = false, class: name = "" }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    drawRaster(canvas.current!, image);
  }, [image]);
  const text = label === "" ? { "aria-hidden": true } : { role: "img" as const, "aria-label": label };
  return <canvas ref={canvas} class={`raster ${smooth ? "smooth" : ""} ${name}`} {...text} />;
}

export function drawRaster(canvas: HTMLCanvasElement, { width, height, rgb }: RgbImage): void {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const { data } = image;
  for (let from = 0, to = 0; to < data.length; from += 3, to += 4) {
    data[to] = rgb[from]!;
    data[to + 1] = rgb[from + 1]!;
    data[to + 2] = rgb[from + 2]!;
    data[to + 3] = 255;
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}
