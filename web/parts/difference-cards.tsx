/** The parts of both towers, each with the difference of the value that leaves it; unfolded, of all its values. */
import { useState } from "preact/hooks";
import type { TapDifference } from "../../lib/trace/compare-traces.ts";
import { cardsOf, shortTap, type Card } from "../state/cards.ts";
import { fixed, tiny } from "./format.ts";
import { Icon } from "./icon.tsx";

interface Props {
  readonly differences: readonly TapDifference[];
  readonly selected: string | null;
  readonly onSelect: (tap: string) => void;
}

const towers = [
  ["image", "Image tower"],
  ["text", "Text tower"],
  ["joint", "Similarity"],
] as const;

export function DifferenceCards({ differences, selected, onSelect }: Props) {
  const of = new Map(differences.map((difference) => [difference.name, difference]));
  const cards = cardsOf([...of.keys()]);
  return (
    <div class="difference-cards">
      {towers.map(([tower, title]) => {
        const own = cards.filter((card) => card.tower === tower);
        if (own.length === 0) return null;
        return (
          <div class={`tower ${tower}`}>
            <h2>{title}</h2>
            <ol>
              {own.map((card) => (
                <PartCard key={card.id} card={card} of={of} selected={selected} onSelect={onSelect} />
              ))}
            </ol>
          </div>
        );
      })}
    </div>
  );
}

interface CardProps extends Omit<Props, "differences"> {
  readonly card: Card;
  readonly of: ReadonlyMap<string, TapDifference>;
}

function PartCard({ card, of, selected, onSelect }: CardProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <li class={`difference-card ${card.taps.includes(selected ?? "") ? "selected" : ""}`}>
      <button
        type="button"
        class="card-head"
        aria-expanded={isOpen}
        onClick={() => {
          setOpen(!isOpen);
        }}
      >
        <Icon name="chevron" />
        <span class="title">{card.title}</span>
        <Figures difference={of.get(card.main)!} />
      </button>
      {isOpen && (
        <ul class="taps" aria-label={`Values of ${card.title}`}>
          {card.taps.map((tap) => (
            <li>
              <button
                type="button"
                class="tap"
                data-difference={tap}
                aria-pressed={tap === selected}
                onClick={() => {
                  onSelect(tap);
                }}
              >
                <span class="name">{shortTap(tap, card)}</span>
                <Figures difference={of.get(tap)!} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function Figures({ difference: { relativeL2, cosine, shapes } }: { readonly difference: TapDifference }) {
  if (relativeL2 === null) {
    const [a, b] = shapes;
    const why = a === null ? "only in B" : b === null ? "only in A" : "other shape";
    return <span class="figures-line muted">{why}</span>;
  }
  return (
    <span class="figures-line">
      <span title="relative L2">{tiny(relativeL2)}</span>
      <span title="cosine">{fixed(cosine ?? NaN, 4)}</span>
    </span>
  );
}
