/** One head over the image. Pointing at a patch, or the arrow keys, choose the token. */
import { useMemo } from "preact/hooks";
import { Raster } from "../../lib/draw/raster.ts";
import { overlay } from "../../lib/study/attention.ts";
import { enlargedToShow } from "../../lib/study/pixels-raster.ts";
import type { RgbImage } from "../../lib/studio/results.ts";
import { place } from "../state/attention.ts";
import { adjust, navigate, route } from "../state/navigation.ts";
import { cellAt, stepCell } from "./heat-map.tsx";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly image: RgbImage;
  readonly patches: readonly [number, number];
  /** One a patch; null while they are not known. */
  readonly weights: ArrayLike<number> | null;
  readonly range: readonly [number, number];
  readonly opacity: number;
}

export function PatchStage({ image, patches, weights, range, opacity }: Props) {
  const shown = useMemo(() => {
    const raster = new Raster(image.width, image.height);
    raster.rgb.set(image.rgb);
    return enlargedToShow(raster);
  }, [image]);
  const [low, high] = range;
  const drawn = useMemo(
    () => (weights === null ? shown : overlay(shown, weights, patches, { low, high }, { opacity })),
    [shown, weights, low, high, opacity],
  );
  const [rows, columns] = patches;
  const grid = { rows, columns, values: [] };
  const { token } = place.value;
  const { mode } = route.value;
  const cell = token === 0 ? null : { row: Math.floor((token - 1) / columns), column: (token - 1) % columns };
  return (
    <div class="patch-stage">
      <div
        class="cells"
        role="img"
        tabIndex={0}
        data-stage=""
        aria-label={`Attention over the image in ${rows} × ${columns} patches; arrow keys choose a patch`}
        onPointerMove={(event) => {
          if (mode === "rollout") return;
          const at = cellAt(event, grid);
          adjust({ token: at.row * columns + at.column + 1 });
        }}
        onPointerLeave={() => {
          adjust({ token: 0 });
        }}
        onKeyDown={(event) => {
          const next = stepCell(event.key, cell ?? { row: 0, column: -1 }, grid);
          if (next === null || mode === "rollout") return;
          event.preventDefault();
          event.stopPropagation();
          adjust({ token: next.row * columns + Math.max(next.column, 0) + 1 });
        }}
      >
        <RasterCanvas image={drawn} label="" smooth class={weights === null ? "unknown" : ""} />
        {cell !== null && mode !== "rollout" && (
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
      <button
        type="button"
        class="class-token"
        aria-pressed={token === 0}
        disabled={mode === "rollout"}
        onClick={() => {
          navigate({ token: 0 });
        }}
      >
        class token
      </button>
    </div>
  );
}
