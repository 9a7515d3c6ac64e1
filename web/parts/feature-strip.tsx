/** An embedding as a row of colours: blue is negative, orange is positive. */
import type { TapSummary } from "../../lib/trace/tap-summary.ts";
import { paint } from "./heat-map.tsx";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly summary: TapSummary;
  readonly caption: string;
}

export function FeatureStrip({ summary: { thumbnail }, caption }: Props) {
  if (thumbnail.rows === 0) return null;
  return (
    <figure class="feature-strip">
      <RasterCanvas image={paint(thumbnail, "diverging")} label={`${caption}, ${thumbnail.columns} means`} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}
