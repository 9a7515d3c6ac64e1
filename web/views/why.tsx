/** What the answer depends on: maps of the image by four methods, their check, and the tokens of the text. */
import { useMemo } from "preact/hooks";
import type { RgbImage } from "../../lib/studio/results.ts";
import type { SaliencyMap } from "../../lib/study/saliency/map.ts";
import { rangeOf } from "../../lib/trace/tap-summary.ts";
import type { ColourMap } from "../parts/colour.ts";
import { fixed, short } from "../parts/format.ts";
import { LayerChart } from "../parts/layer-chart.tsx";
import { Legend } from "../parts/legend.tsx";
import { LinesField } from "../parts/lines-field.tsx";
import { LongWork } from "../parts/long-work.tsx";
import { RasterCanvas } from "../parts/raster-canvas.tsx";
import { MapTools } from "../parts/map-tools.tsx";
import { SaveChart } from "../parts/save-chart.tsx";
import { overImage } from "../parts/drawn-map.ts";
import { Switch } from "../parts/switch.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { labels } from "../state/matching.ts";
import { adjust, navigate, route } from "../state/navigation.ts";
import type { MethodName } from "../state/route.ts";
import { imagePass, isCurrent, textPass } from "../state/session.ts";
import { curve, curveWork, explanations, label, textExplanation } from "../state/why.ts";

const methods: Readonly<Record<MethodName, { title: string; paper: string; link: string; caveat: string }>> =
  {
    occlusion: {
      title: "Occlusion",
      paper: "Zeiler, Fergus 2014",
      link: "https://arxiv.org/abs/1311.2901",
      caveat:
        "A window covers part of the image with the mean colour, which the model has not seen in training.",
    },
    relevance: {
      title: "Relevance",
      paper: "Chefer et al. 2021",
      link: "https://arxiv.org/abs/2103.15679",
      caveat:
        "Attention times its gradient, from the start layer on; early layers can drown what later ones show.",
    },
    integrated: {
      title: "Integrated gradients",
      paper: "Sundararajan et al. 2017",
      link: "https://arxiv.org/abs/1703.01365",
      caveat: "Between a gray image and this one; the values add up to the difference of the two scores.",
    },
    gradient: {
      title: "Gradient × input",
      paper: "Adebayo et al. 2018",
      link: "https://arxiv.org/abs/1810.03292",
      caveat:
        "A gradient is local and noisy; some gradient maps hardly change when the weights are made random.",
    },
  };

export function WhyView() {
  return (
    <section class={`view why-view ${isCurrent.value ? "" : "stale"}`} aria-labelledby="view-title">
      <ViewHead
        copied="why"
        title="Why"
        about="What in the image the score depends on, by four methods that often disagree. The deletion curve checks a map: if it is right, covering its largest patches first makes the score fall fast."
      />
      {imagePass.value && (
        <div class="why-columns">
          <div>
            <Question />
            <Methods />
            <Curve />
          </div>
          <div>
            <Chosen />
            <Tokens />
            <Labels />
          </div>
        </div>
      )}
    </section>
  );
}

function Methods() {
  return (
    <div class="methods" role="group" aria-label="Methods">
      {(Object.keys(methods) as MethodName[]).map((method) => {
        const { found, part } = explanations[method];
        const map = found.value?.map ?? part.value;
        return (
          <button
            type="button"
            class="method"
            aria-pressed={route.value.method === method}
            onClick={() => {
              navigate({ method });
            }}
          >
            {map === null ? <span class="hatched" /> : <MapCanvas map={map} label="" />}
            <span>{methods[method].title}</span>
          </button>
        );
      })}
    </div>
  );
}

function MapCanvas({ map, label: text }: { readonly map: SaliencyMap; readonly label: string }) {
  const { input } = imagePass.value!.value;
  const image = useMemo(() => mapImage(map, input), [map, input]);
  return <RasterCanvas image={image} label={text} smooth />;
}

function mapImage(map: SaliencyMap, input: RgbImage): RgbImage {
  return overImage(input, map.values, [map.rows, map.columns], rangeOf(map.values), coloursOf(map), 0.7);
}

function coloursOf({ isSigned }: SaliencyMap): ColourMap {
  return isSigned ? "diverging" : "sequential";
}

function Chosen() {
  const { method, startLayer, steps, window } = route.value;
  const { title, paper, link, caveat } = methods[method];
  const { found, work, part } = explanations[method];
  const map = found.value?.map ?? part.value;
  const layers = imagePass.value!.value.heads.length;
  return (
    <figure class="why-part">
      <figcaption>
        <h2>
          {title} <small>for “{labels.value[label.value]}”</small>
        </h2>
        {found.value && map && (
          <MapTools
            name={`why-${method}`}
            title={`${title} for “${labels.value[label.value]}”`}
            matrix={found.value.map}
            drawn={() => ({
              image: mapImage(map, imagePass.value!.value.input),
              map: coloursOf(map),
              range: rangeOf(map.values),
              unit: map.quantity,
              smooth: true,
            })}
          />
        )}
      </figcaption>
      {map === null ? null : (
        <>
          <MapCanvas map={map} label={`${title} for “${labels.value[label.value]}” over the image`} />
          <Legend map={coloursOf(map)} range={rangeOf(map.values)} unit={map.quantity} />
        </>
      )}
      {found.value === null && <LongWork work={work} />}
      {method === "relevance" && (
        <Slider
          label="Start layer"
          value={Math.min(startLayer, layers - 1)}
          min={0}
          max={layers - 1}
          onInput={(value) => {
            adjust({ startLayer: value });
          }}
        />
      )}
      {method === "integrated" && (
        <Slider
          label="Steps"
          value={steps}
          min={2}
          max={32}
          onInput={(value) => {
            adjust({ steps: value });
          }}
        />
      )}
      {method === "occlusion" && (
        <Slider
          label="Window, in patches"
          value={window}
          min={1}
          max={4}
          onInput={(value) => {
            adjust({ window: value });
          }}
        />
      )}
      {found.value && (
        <p class="readout">
          Score: <b>{fixed(found.value.score, 3)}</b>
          <span class="muted">
            {" "}
            ·{" "}
            {route.value.against && labels.value.length > 1
              ? "the label’s cosine minus the mean of the others’"
              : "the label’s cosine"}
          </span>
        </p>
      )}
      <p class="caption">
        {caveat} (
        <a href={link} target="_blank" rel="noreferrer">
          {paper}
        </a>
        )
      </p>
    </figure>
  );
}

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly onInput: (value: number) => void;
}

function Slider({ label: name, value, min, max, onInput }: SliderProps) {
  return (
    <label class="slider">
      <span>{name}</span>
      <input
        type="range"
        min={min}
        max={max}
        value={value}
        onInput={(event) => {
          onInput(event.currentTarget.valueAsNumber);
        }}
      />
      <output>{value}</output>
    </label>
  );
}

function Curve() {
  const found = curve.value;
  const { method } = route.value;
  return (
    <figure class="why-part why-curve">
      <figcaption>
        <h2>
          Deletion curve <small>of {methods[method].title.toLowerCase()}</small>
        </h2>
        {found && (
          <span class="map-tools">
            <MapTools
              name="deletion"
              title="Score while patches are covered"
              matrix={{
                rows: 3,
                columns: found.map.scores.length,
                values: [...found.map.fractions, ...found.map.scores, ...found.random.scores],
              }}
              rowNames={["share of the patches", "this map’s order", "random orders"]}
              drawn={null}
            />
            <SaveChart name="deletion" />
          </span>
        )}
      </figcaption>
      {found === null ? (
        <LongWork work={curveWork} waits={explanations[method].found.value === null} />
      ) : (
        <>
          <LayerChart
            lines={[
              { name: "random orders", values: found.random.scores, kind: "baseline" },
              { name: "this map", values: found.map.scores, kind: "chosen" },
            ]}
            layers={found.map.scores.length}
            layer={0}
            onLayer={() => undefined}
            domain={null}
            unit="score"
            axis="patches covered"
            tickText={(point) => `${Math.round(100 * (found.map.fractions[point] ?? 0))} %`}
            title="Score while patches are covered, in the order of the map and in random orders"
          />
          <p class="readout">
            Area: this map <b>{fixed(found.map.area, 3)}</b>, random orders{" "}
            <b>{fixed(found.random.area, 3)}</b>
            {found.map.area < found.random.area
              ? "; the map finds what the score needs."
              : "; the map is no better than chance."}
          </p>
          <p class="caption">Dashed: the mean of three random orders. A smaller area is better.</p>
        </>
      )}
    </figure>
  );
}

/** The text, by what its cosine with the image loses without each token. */
function Tokens() {
  const found = textExplanation.value;
  const tokens = textPass.value?.value.tokens;
  if (found === null || tokens?.length !== found.leaveOneOut.length) return null;
  const drops = found.leaveOneOut.map((drop) => drop ?? 0);
  const most = Math.max(...drops.map(Math.abs), 1e-9);
  return (
    <figure class="why-part">
      <figcaption>
        <h2>
          The text <small>cosine {fixed(found.score, 3)}</small>
        </h2>
      </figcaption>
      <table class="effect">
        <thead>
          <tr>
            <th scope="col">token</th>
            <th scope="col">drop without it</th>
            <th scope="col">gradient’s norm</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map(({ piece }, i) => {
            const [drop, gradient] = [found.leaveOneOut[i], found.gradient[i]];
            if (drop === null || drop === undefined) return null;
            return (
              <tr>
                <th scope="row">{piece.replace("▁", "")}</th>
                <td>
                  <i style={{ width: `${(60 * Math.abs(drop)) / most}px` }} aria-hidden="true" />
                  {fixed(drop, 3)}
                </td>
                <td>{gradient === null || gradient === undefined ? "–" : short(gradient)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </figure>
  );
}

/** The label whose score is explained. */
function Question() {
  return (
    <div class="why-question">
      <label>
        <b>Explain</b>{" "}
        <select
          value={labels.value[label.value]}
          onChange={(event) => {
            navigate({ label: event.currentTarget.value });
          }}
        >
          {labels.value.map((name) => (
            <option value={name}>{name}</option>
          ))}
        </select>
      </label>
      <Switch
        label="Against the other labels"
        isOn={route.value.against}
        onChange={(against) => {
          navigate({ against });
        }}
      />
    </div>
  );
}

function Labels() {
  return (
    <form
      class="why-part"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <LinesField
        label="Labels"
        hint="one a line"
        rows={8}
        lines={labels.value}
        onChange={(lines) => {
          adjust({ labels: lines });
        }}
      />
    </form>
  );
}
