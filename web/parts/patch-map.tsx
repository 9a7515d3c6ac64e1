/** A number per patch, in the places of the patches. */
import { heatMap } from "../../lib/draw/raster.ts";
import { scaleOf } from "../../lib/draw/scale.ts";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly values: ArrayLike<number>;
  readonly patches: readonly [number, number];
  readonly caption: string;
}

export function PatchMap({ values, patches: [rows, columns], caption }: Props) {
  const image = heatMap(values, [rows, columns], scaleOf(values));
  return (
    <figure class="patch-map">
      <RasterCanvas image={image} label={`${caption}, ${rows} × ${columns} patches`} />
      <figcaption aria-hidden="true">{caption}</figcaption>
    </figure>
  );
}
