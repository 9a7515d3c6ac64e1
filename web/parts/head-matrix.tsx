/** All heads of all layers: the class token's attention as small maps, with each head's entropy and reach. */
import { useMemo } from "preact/hooks";
import { overlay } from "../../lib/study/attention.ts";
import { Raster } from "../../lib/draw/raster.ts";
import type { HeadSummary } from "../../lib/studio/results.ts";
import { largest, place, rangeFor } from "../state/attention.ts";
import { navigate, route } from "../state/navigation.ts";
import { imagePass } from "../state/session.ts";
import { fixed, rough } from "./format.ts";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly heads: readonly (readonly HeadSummary[])[];
  readonly patches: readonly [number, number];
}

export function HeadMatrix({ heads, patches }: Props) {
  const columns = heads[0]?.length ?? 0;
  const isAbsolute = route.value.absolute;
  return (
    <div class="head-matrix">
      <h2>
        All heads <small>attention of the class token</small>
      </h2>
      <table style={{ "--heads": columns }}>
        <thead>
          <tr>
            <td />
            {Array.from({ length: columns }, (_, head) => (
              <th scope="col">head {head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {heads.map((row, layer) => (
            <tr>
              <th scope="row">layer {layer}</th>
              {row.map((head, i) => (
                <td>
                  <HeadButton layer={layer} head={i} summary={head} patches={patches} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="caption">
        Colours:{" "}
        {isAbsolute
          ? `one scale for all maps, 0 to ${rough(largest.value)}`
          : "each map from its smallest to its largest weight"}
        . <b>bits</b>: mean entropy of a row, at most {fixed(Math.log2(patches[0] * patches[1] + 1), 1)}.{" "}
        <b>reach</b>: mean distance between a patch and the patches it attends to, in patches.
      </p>
    </div>
  );
}

interface ButtonProps {
  readonly layer: number;
  readonly head: number;
  readonly summary: HeadSummary;
  readonly patches: readonly [number, number];
}

function HeadButton({ layer, head, summary, patches }: ButtonProps) {
  const { row, entropy, distance } = summary;
  const input = imagePass.value!.value.input;
  const { absolute } = route.value;
  const image = useMemo(() => {
    const raster = new Raster(input.width, input.height);
    raster.rgb.set(input.rgb);
    const weights = Array.from(row).slice(1);
    const [low, high] = rangeFor(weights);
    return overlay(raster, weights, patches, { low, high }, { opacity: 0.7 });
  }, [row, input, absolute]);
  const isSelected = place.value.layer === layer && place.value.head === head;
  return (
    <button
      type="button"
      class="head"
      aria-pressed={isSelected}
      aria-label={`Layer ${layer}, head ${head}: entropy ${fixed(entropy, 1)} bits, distance ${fixed(distance, 1)} patches`}
      onClick={() => {
        navigate({ layer, head });
      }}
    >
      <RasterCanvas image={image} label="" smooth />
      <span class="numbers">
        <span>{fixed(entropy, 1)} bits</span>
        <span>{fixed(distance, 1)} reach</span>
      </span>
    </button>
  );
}
