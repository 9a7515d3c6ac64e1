/** A number per patch over the image. Pointing at a patch, or the arrow keys, choose the token. */
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { Raster } from "../../lib/draw/raster.ts";
import { overlay } from "../../lib/study/attention.ts";
import { enlargedToShow } from "../../lib/study/pixels-raster.ts";
import type { RgbImage } from "../../lib/studio/results.ts";
import { colourMaps, drawnRange, type ColourMap } from "./colour.ts";
import { cellAt, stepCell } from "./heat-map.tsx";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly image: RgbImage;
  readonly patches: readonly [number, number];
  /** One a patch; null while they are not known. */
  readonly weights: ArrayLike<number> | null;
  readonly range: readonly [number, number];
  /** Default: sequential. */
  readonly map?: ColourMap;
  readonly opacity: number;
  /** What is drawn, for those who do not see it. */
  readonly title: string;
  /** The chosen token; 0 is the class token. */
  readonly token: number;
  /** Null if no token can be chosen. */
  readonly onToken: ((token: number) => void) | null;
  /** The token after the pointer has left. Default: the class token. */
  readonly restToken?: number;
  readonly children?: ComponentChildren;
}

export function PatchStage({
  image,
  patches,
  weights,
  range,
  map = "sequential",
  opacity,
  title,
  token,
  onToken,
  restToken = 0,
  children,
}: Props) {
  const shown = useMemo(() => {
    const raster = new Raster(image.width, image.height);
    raster.rgb.set(image.rgb);
    return enlargedToShow(raster);
  }, [image]);
  const [low, high] = drawnRange(range, map);
  const drawn = useMemo(
    () =>
      weights === null
        ? shown
        : overlay(shown, weights, patches, { low, high }, { opacity, color: colourMaps[map] }),
    [shown, weights, low, high, map, opacity],
  );
  const [rows, columns] = patches;
  const grid = { rows, columns, values: [] };
  const cell = token === 0 ? null : { row: Math.floor((token - 1) / columns), column: (token - 1) % columns };
  return (
    <div class="patch-stage">
      <div
        class="cells"
        role="img"
        tabIndex={0}
        data-stage=""
        aria-label={`${title}, over the image in ${rows} × ${columns} patches; arrow keys choose a patch`}
        onPointerMove={(event) => {
          const at = cellAt(event, grid);
          onToken?.(at.row * columns + at.column + 1);
        }}
        onPointerLeave={() => {
          onToken?.(restToken);
        }}
        onKeyDown={(event) => {
          const next = stepCell(event.key, cell ?? { row: 0, column: -1 }, grid);
          if (next === null || onToken === null) return;
          event.preventDefault();
          event.stopPropagation();
          onToken(next.row * columns + Math.max(next.column, 0) + 1);
        }}
      >
        <RasterCanvas image={drawn} label="" smooth class={weights === null ? "unknown" : ""} />
        {cell !== null && onToken !== null && (
          <span
            class="cursor"
            style={{
              left: `${(100 * cell.column) / columns}%`,
              top: `${(100 * cell.row) / rows}%`,
              width: `${100 / columns}%`,
              height: `${100 / rows}%`,
            }}
          />
        )}
      </div>
      {children}
    </div>
  );
}
