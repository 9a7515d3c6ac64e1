/** A number per patch, in the places of the patches. */
import { Raster } from "../../lib/draw/raster.ts";
import { heat, toUnit } from "../../lib/draw/raster.ts";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly values: ArrayLike<number>;
  readonly patches: readonly [number, number];
  readonly caption: string;
}

export function PatchMap({ values, patches: [rows, columns], caption }: Props) {
  const scaled = toUnit(values);
  const image = new Raster(columns, rows).paint((x, y) => heat(scaled[y * columns + x]!));
  return (
    <figure class="patch-map">
      <RasterCanvas image={image} label={`${caption}, ${rows} × ${columns} patches`} />
      <figcaption aria-hidden="true">{caption}</figcaption>
    </figure>
  );
}
