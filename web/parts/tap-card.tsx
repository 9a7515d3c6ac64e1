/** A part of a tower: its output at a glance; unfolded, all its taps. */
import type { ComponentChildren } from "preact";
import { rangeOf, type TapSummary } from "../../lib/trace/tap-summary.ts";
import { shortTap, type Card } from "../state/cards.ts";
import { documentation, summaryOf, toggleCard, unfolded } from "../state/derived.ts";
import { navigate, route } from "../state/navigation.ts";
import { mapFor } from "./colour.ts";
import { shapeText, short } from "./format.ts";
import { paint } from "./heat-map.tsx";
import { Icon } from "./icon.tsx";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly card: Card;
  readonly children: ComponentChildren;
}

export function TapCard({ card, children }: Props) {
  const isOpen = unfolded.value.has(card.id);
  const main = summaryOf.value.get(card.main);
  const holdsSelection = card.taps.includes(route.value.tap ?? "");
  return (
    <li class={`card ${card.tower} ${card.kind} ${holdsSelection ? "selected" : ""}`} data-card={card.id}>
      <button
        type="button"
        class="card-head"
        aria-expanded={isOpen}
        onClick={() => {
          toggleCard(card.id);
        }}
      >
        <Icon name="chevron" />
        <span class="title">{card.title}</span>
        <span class="shape">{main && shapeText(main.shape)}</span>
      </button>
      <div class="card-body">{children}</div>
      {isOpen && (
        <ul class="taps" aria-label={`Values of ${card.title}`}>
          {card.taps.map((tap) => (
            <TapRow tap={tap} name={shortTap(tap, card)} />
          ))}
        </ul>
      )}
    </li>
  );
}

function TapRow({ tap, name }: { readonly tap: string; readonly name: string }) {
  const summary = summaryOf.value.get(tap);
  if (summary === undefined) return null;
  return (
    <li>
      <button
        type="button"
        class="tap"
        data-tap={tap}
        aria-pressed={route.value.tap === tap}
        title={documentation(tap)?.value ?? tap}
        onClick={() => {
          navigate({ tap });
        }}
      >
        <Thumbnail summary={summary} />
        <span class="name">{name}</span>
        <span class="norm">‖x‖ {short(summary.statistics.norm)}</span>
      </button>
    </li>
  );
}

/** Rows are tokens; hatched until the values are there. */
function Thumbnail({ summary: { thumbnail } }: { readonly summary: TapSummary }) {
  if (thumbnail.rows === 0) return <span class="thumbnail hatched" />;
  const [min, max] = rangeOf(thumbnail.values);
  return (
    <span class="thumbnail">
      <RasterCanvas image={paint(thumbnail, mapFor(min, max))} label="" />
    </span>
  );
}
