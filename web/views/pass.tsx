/** The pass: both towers from the inputs to the similarity, one card a part. */
import { FeatureStrip } from "../parts/feature-strip.tsx";
import { fixed, rough } from "../parts/format.ts";
import { PatchMap } from "../parts/patch-map.tsx";
import { RasterCanvas } from "../parts/raster-canvas.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { TapCard } from "../parts/tap-card.tsx";
import { TokenBars } from "../parts/token-bars.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { goTo, hasWalk } from "../walk/walk.tsx";
import type { Card, Tower } from "../state/cards.ts";
import { cards, summaryOf } from "../state/derived.ts";
import {
  imagePass,
  isCurrent,
  isFilling,
  isJointCurrent,
  jointPass,
  modelInfo,
  textPass,
} from "../state/session.ts";
import { currentImage, currentText } from "../state/tray.ts";

export function PassView() {
  const joint = jointPass.value?.value;
  return (
    <section
      class={`view pass-view ${isCurrent.value || isFilling.value ? "" : "stale"}`}
      aria-labelledby="view-title"
    >
      <ViewHead
        copied="pass"
        title="Pass"
        about={
          <>
            Every value from the inputs to the similarity, by its name in PyTorch. Unfold a card to choose one
            {hasWalk.value && (
              <>
                , or{" "}
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    goTo(1);
                  }}
                >
                  walk through the network
                </button>{" "}
                to the head with which it counts to three
              </>
            )}
            .
          </>
        }
      >
        {joint && (
          <output
            class={isJointCurrent.value ? "result" : "result stale"}
            aria-label="Similarity of the current image and text"
          >
            <span class="of">
              {currentImage.value?.name} <span class="times">×</span> <q>{currentText.value.text}</q>
            </span>
            <span class="number">
              <small>cosine</small> {fixed(joint.cosine, 3)}
            </span>
            <span class="number">
              <small>logit</small> {fixed(joint.logit, 2)}
            </span>
          </output>
        )}
      </ViewHead>
      <div class="towers">
        <Column tower="image" />
        <Column tower="text" />
      </div>
      <Joint />
    </section>
  );
}

function Column({ tower }: { readonly tower: Exclude<Tower, "joint"> }) {
  const own = cards.value.filter((card) => card.tower === tower);
  const blocks = own.filter(({ kind }) => kind === "block").length;
  return (
    <div class={`tower ${tower}`}>
      <h2>
        {tower === "image" ? "Image tower" : "Text tower"}
        <small>
          {blocks} {tower === "image" ? "pre-norm blocks" : "post-norm layers"}
        </small>
      </h2>
      <ol class="cards">
        {own.length === 0 && <Skeleton />}
        {own.map((card) => (
          <TapCard card={card}>
            {tower === "image" ? <ImageBody card={card} /> : <TextBody card={card} />}
          </TapCard>
        ))}
      </ol>
    </div>
  );
}

function ImageBody({ card }: { readonly card: Card }) {
  const pass = imagePass.value?.value;
  if (pass === undefined) return null;
  const { patches, heads, input } = pass;
  if (card.kind === "input") {
    return (
      <div class="body-row">
        <RasterCanvas class="input-image" image={input} label="The image as the network receives it" />
        <p class="caption">
          Resized, cropped and normalised: {input.height} × {input.width} pixels, cut into {patches[0]} ×{" "}
          {patches[1]} patches.
        </p>
      </div>
    );
  }
  if (card.kind === "read-out") return <Features tap="image_features" caption="image features, norm 1" />;
  const stream = summaryOf.value.get(card.main);
  if (!stream?.tokenNorms) return null;
  const norms = Array.from(stream.tokenNorms);
  const attention = card.block === null ? undefined : heads[card.block];
  return (
    <div class="body-row">
      <div class="body-main">
        <Sparkline values={norms} label="Norm of each token" />
        <p class="caption" title="L2 norm of each token's vector; the dot is the class token">
          norms {rough(Math.min(...norms))}–{rough(Math.max(...norms))}
        </p>
      </div>
      <PatchMap values={norms.slice(1)} patches={patches} caption="norm" />
      {attention && <PatchMap values={meanRow(attention)} patches={patches} caption="attention" />}
    </div>
  );
}

/** The class token's attention to each patch, mean over heads. */
function meanRow(heads: readonly { readonly row: ArrayLike<number> }[]): number[] {
  return Array.from(heads[0]!.row)
    .slice(1)
    .map((_, i) => heads.reduce((sum, { row }) => sum + row[i + 1]! / heads.length, 0));
}

function TextBody({ card }: { readonly card: Card }) {
  const pass = textPass.value?.value;
  if (pass === undefined) return null;
  if (card.kind === "read-out") return <Features tap="text_features" caption="text features, norm 1" />;
  if (card.kind === "input")
    return <TokenBars tokens={pass.tokens} values={null} label="Tokens with their ids" />;
  const received = card.block === null ? undefined : pass.received[card.block];
  const shown = received ?? summaryOf.value.get(card.taps[0]!)?.tokenNorms;
  if (!shown) return null;
  const values = Array.from(shown);
  const caption = received ? "attention received" : "norm of the word embedding";
  return (
    <>
      <TokenBars tokens={pass.tokens} values={values} label={caption} />
      <p class="caption">
        {caption}, {rough(Math.min(...values))}–{rough(Math.max(...values))}
      </p>
    </>
  );
}

function Features({ tap, caption }: { readonly tap: string; readonly caption: string }) {
  const summary = summaryOf.value.get(tap);
  return summary ? <FeatureStrip summary={summary} caption={caption} /> : null;
}

function Joint() {
  const joint = jointPass.value?.value;
  const [card] = cards.value.filter(({ tower }) => tower === "joint");
  const scale = modelInfo.value?.scale;
  if (joint === undefined || card === undefined || scale === undefined) return null;
  return (
    <ol class="cards joint-cards">
      <TapCard card={card}>
        <div class="similarity">
          <div
            class="cosine-bar"
            role="img"
            aria-label={`Cosine ${fixed(joint.cosine, 3)} on a scale from −1 to 1`}
          >
            <i
              style={{
                left: `${50 + Math.min(0, joint.cosine * 50)}%`,
                width: `${Math.abs(joint.cosine) * 50}%`,
              }}
            />
          </div>
          <div class="ends" aria-hidden="true">
            <span>−1</span>
            <span>0</span>
            <span>1</span>
          </div>
          <p class="equation">
            <span>
              <b>{fixed(joint.logit, 2)}</b>
              <small>logit</small>
            </span>
            <span>=</span>
            <span>
              <b>{fixed(scale, 2)}</b>
              <small>exp(logit_scale)</small>
            </span>
            <span>×</span>
            <span>
              <b>{fixed(joint.cosine, 4)}</b>
              <small>cosine</small>
            </span>
          </p>
        </div>
      </TapCard>
    </ol>
  );
}

function Skeleton() {
  return (
    <>
      {Array.from({ length: 5 }, () => (
        <li class="card skeleton" aria-hidden="true" />
      ))}
    </>
  );
}
