/** What a probe says about the tray's images. */
import { droppedProbe, predictions, usedProbe } from "../state/probing.ts";
import { trayImages } from "../state/tray.ts";
import { colourOf, inkOn } from "./colour.ts";
import { percent } from "./format.ts";
import { Icon } from "./icon.tsx";
import { Legend } from "./legend.tsx";
import { OpenFiles } from "./open-files.tsx";

export function ProbeAnswers() {
  const found = predictions.value;
  return (
    <section class="probe-answers" aria-labelledby="answers-title">
      <div class="stage-head">
        <h2 id="answers-title">
          The tray’s images{" "}
          <small>
            {droppedProbe.value === null
              ? "by the probe above; images of its classes were fitted on"
              : `by ${droppedProbe.value.name}`}
          </small>
        </h2>
        <DroppedProbe />
      </div>
      {found === null ? (
        usedProbe.value !== null && <div class="probe-wait hatched" />
      ) : (
        <>
          <div class="table-box" tabIndex={0} role="region" aria-label="Probabilities of the classes">
            <table class="figures" data-predicted={found.result.tap}>
              <thead>
                <tr>
                  <th scope="col">image</th>
                  {found.result.classes.map((name) => (
                    <th scope="col">{name}</th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {found.keys.map((key, i) => (
                  <Row imageKey={key} probabilities={found.result.probabilities[i] ?? null} />
                ))}
              </tbody>
            </table>
          </div>
          <Legend map="sequential" range={[0, 1]} unit="probability" />
        </>
      )}
    </section>
  );
}

interface RowProps {
  readonly imageKey: string;
  readonly probabilities: readonly number[] | null;
}

function Row({ imageKey, probabilities }: RowProps) {
  const image = trayImages.value.find(({ key }) => key === imageKey);
  if (image === undefined) return null;
  return (
    <tr data-image={image.name}>
      <th scope="row">
        <span class="answer-image">
          <img src={image.url} alt="" />
          {image.name}
        </span>
      </th>
      {probabilities === null ? (
        <td>cannot be read</td>
      ) : (
        probabilities.map((probability) => {
          const colour = colourOf(probability, "sequential");
          return (
            <td
              title={`${probability}`}
              style={{ background: `rgb(${colour.map(Math.round).join(" ")})`, color: inkOn(colour) }}
            >
              {percent(probability)}
            </td>
          );
        })
      )}
    </tr>
  );
}

function DroppedProbe() {
  const probe = droppedProbe.value;
  if (probe === null) return <OpenFiles text="Open a probe file …" name="probe" accept=".safetensors" />;
  return (
    <button
      type="button"
      onClick={() => {
        droppedProbe.value = null;
      }}
    >
      <Icon name="close" /> Close {probe.name}
    </button>
  );
}
