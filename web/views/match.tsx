/** Zero-shot classification: images against labels. */
import { useMemo } from "preact/hooks";
import { rangeOf } from "../../lib/trace/tap-summary.ts";
import { colourOf, inkOn } from "../parts/colour.ts";
import { fixed, percent } from "../parts/format.ts";
import { Legend } from "../parts/legend.tsx";
import { LinesField } from "../parts/lines-field.tsx";
import { Segmented } from "../parts/segmented.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { labels, matching, problem, scale, softmax } from "../state/matching.ts";
import { adjust, navigate, route } from "../state/navigation.ts";
import type { ScoreKind } from "../state/route.ts";
import { modelInfo } from "../state/session.ts";
import { currentImage, trayImages, trayTexts } from "../state/tray.ts";

const kinds = [
  ["labels", "Softmax over labels"],
  ["images", "Softmax over images"],
  ["cosine", "Cosine"],
  ["logit", "Logit"],
] as const;

export function MatchView() {
  return (
    <section class="view match-view" aria-labelledby="view-title">
      <ViewHead
        copied="match"
        title="Match"
        about="Zero-shot classification: a label is the mean direction of its prompts, and its score is exp(logit_scale) · cosine."
      />
      <div class="match-columns">
        <Settings />
        <div class="match-results">
          {problem.value !== null && (
            <p class="inline-problem" role="status">
              {problem.value}
            </p>
          )}
          <Answers />
          <Matrix />
        </div>
      </div>
    </section>
  );
}

function Settings() {
  const own = modelInfo.value?.scale ?? 1;
  return (
    <form
      class="match-settings"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <LinesField
        label="Labels"
        hint="one a line"
        rows={9}
        lines={labels.value}
        onChange={(lines) => {
          adjust({ labels: lines });
        }}
      />
      <div class="actions">
        <button
          type="button"
          onClick={() => {
            navigate({ labels: trayTexts.value.map(({ text }) => text) });
          }}
        >
          Use the tray’s texts
        </button>
        <button
          type="button"
          disabled={route.value.labels === null}
          onClick={() => {
            navigate({ labels: null });
          }}
        >
          Reset
        </button>
      </div>
      <LinesField
        label="Templates"
        hint="{} is the label"
        rows={3}
        lines={route.value.templates}
        onChange={(lines) => {
          adjust({ templates: lines });
        }}
      />
      <label class="slider scale">
        <span>
          exp(logit_scale) <small>inverse temperature</small>
        </span>
        <input
          type="range"
          min="1"
          max="100"
          step="0.5"
          value={scale.value}
          onInput={(event) => {
            adjust({ scale: event.currentTarget.valueAsNumber });
          }}
        />
        <output>{fixed(scale.value, 1)}</output>
      </label>
      <p class="caption">
        The model’s own is {fixed(own, 2)}.{" "}
        {route.value.scale !== null && (
          <button
            type="button"
            class="link"
            onClick={() => {
              navigate({ scale: null });
            }}
          >
            Use it
          </button>
        )}
      </p>
    </form>
  );
}

/** The current image's labels, best first. */
function Answers() {
  const result = matching.value;
  const image = currentImage.value;
  if (result === null || image === null) return <div class="answers hatched" />;
  const row = result.cosines[result.images.indexOf(image.key)];
  if (row === undefined) return null;
  const probabilities = softmax(row.map((cosine) => cosine * scale.value));
  const best = result.labels
    .map((label, i) => ({ label, probability: probabilities[i]!, logit: row[i]! * scale.value }))
    .sort((a, b) => b.logit - a.logit);
  return (
    <div class="answers">
      <img src={image.url} alt="" />
      <div>
        <h2>{image.name}</h2>
        <ol>
          {best.slice(0, 5).map(({ label, probability, logit }) => (
            <li>
              <span class="label">{label}</span>
              <span class="bar" aria-hidden="true">
                <i style={{ width: `${100 * probability}%` }} />
              </span>
              <span class="value">{percent(probability)}</span>
              <span class="value muted">{fixed(logit, 2)}</span>
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

function scoresOf(cosines: readonly (readonly number[])[], kind: ScoreKind, factor: number): number[][] {
  if (kind === "cosine") return cosines.map((row) => [...row]);
  const logits = cosines.map((row) => row.map((cosine) => cosine * factor));
  if (kind === "logit") return logits;
  if (kind === "labels") return logits.map(softmax);
  const columns = logits[0]?.map((_, label) => softmax(logits.map((row) => row[label]!))) ?? [];
  return logits.map((row, image) => row.map((_, label) => columns[label]![image]!));
}

function Matrix() {
  const result = matching.value;
  const { score } = route.value;
  const factor = scale.value;
  const scores = useMemo(
    () => (result === null ? [] : scoresOf(result.cosines, score, factor)),
    [result, score, factor],
  );
  const isShare = score === "labels" || score === "images";
  const range = isShare ? ([0, 1] as const) : rangeOf(scores.flat());
  const show = (value: number): string =>
    isShare
      ? (100 * value).toFixed(value >= 0.9995 || value < 0.0005 ? 0 : 1)
      : fixed(value, score === "cosine" ? 2 : 1);
  return (
    <div class="match-matrix">
      <div class="stage-head">
        <h2>Images × labels</h2>
        <Segmented
          label="Score"
          options={kinds}
          value={score}
          onChange={(value) => {
            navigate({ score: value });
          }}
        />
      </div>
      {result === null ? (
        <div class="matrix-box hatched" />
      ) : (
        <div class="matrix-box" tabIndex={0} role="region" aria-label="Scores of images and labels">
          <table>
            <thead>
              <tr>
                <td />
                {result.labels.map((label) => (
                  <th scope="col">
                    <span>{label}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {result.images.map((key, i) => (
                <Row imageKey={key} scores={scores[i]!} range={range} show={show} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Legend map="sequential" range={isShare ? [0, 100] : range} unit={isShare ? "%" : score} />
    </div>
  );
}

interface RowProps {
  readonly imageKey: string;
  readonly scores: readonly number[];
  readonly range: readonly [number, number];
  readonly show: (value: number) => string;
}

function Row({ imageKey, scores, range: [low, high], show }: RowProps) {
  const image = trayImages.value.find(({ key }) => key === imageKey);
  if (image === undefined) return null;
  const best = Math.max(...scores);
  return (
    <tr class={currentImage.value?.key === imageKey ? "current" : ""}>
      <th scope="row">
        <button
          type="button"
          title={image.name}
          aria-label={image.name}
          aria-pressed={currentImage.value?.key === imageKey}
          onClick={() => {
            navigate({ image: imageKey });
          }}
        >
          <img src={image.url} alt="" />
        </button>
      </th>
      {scores.map((value) => {
        const colour = colourOf(high > low ? (value - low) / (high - low) : 0, "sequential");
        return (
          <td
            class={value === best ? "best" : ""}
            title={value.toPrecision(7)}
            style={{ background: `rgb(${colour.map(Math.round).join(" ")})`, color: inkOn(colour) }}
          >
            {show(value)}
          </td>
        );
      })}
    </tr>
  );
}
