/** Two inputs, two models or two files, value by value. */
import { useRef, useState } from "preact/hooks";
import { matrixOf } from "../../lib/trace/tap-summary.ts";
import type { TapDifference } from "../../lib/trace/compare-traces.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { DifferenceCards } from "../parts/difference-cards.tsx";
import { fixed, shapeText, tiny } from "../parts/format.ts";
import { PairMaps } from "../parts/pair-maps.tsx";
import { SaveTable } from "../parts/save-table.tsx";
import { SideSelect } from "../parts/side-select.tsx";
import { TapName } from "../parts/tap-name.tsx";
import { TapDots } from "../parts/tap-dots.tsx";
import { cellNames, layOut, unitOf } from "../parts/tap-matrix.ts";
import { useValues } from "../parts/use-values.ts";
import { ViewHead } from "../parts/view-head.tsx";
import { comparing, worstOf } from "../state/comparing.ts";
import { navigate, route } from "../state/navigation.ts";
import { readBoth, sideTitle } from "../state/sides.ts";
import { compareCommand } from "../state/compare-command.ts";

export function CompareView() {
  return (
    <section class="view compare-view" aria-labelledby="view-title">
      <ViewHead
        title="Compare"
        about={
          <>
            Two inputs, two models or two files, value by value. Relative L2 is ‖A − B‖ / ‖B‖; the cosine
            compares directions, not sizes (
            <a href="https://arxiv.org/abs/1905.00414" target="_blank" rel="noreferrer">
              Kornblith et al. 2019
            </a>{" "}
            on what distances between activations can and cannot say).
          </>
        }
      />
      <SideSelect />
      <Result />
    </section>
  );
}

function Result() {
  const found = comparing.value;
  if (found === null) return <div class="compare-wait hatched" />;
  const { differences, total, isComplete } = found;
  const worst = worstOf(differences);
  const selected = differences.find(({ name }) => name === route.value.tap) ?? worst;
  const compared = differences.filter(({ relativeL2 }) => relativeL2 !== null);
  const others = differences.length - compared.length;
  const isSame = compared.every(({ relativeL2 }) => relativeL2 === 0);
  const choose = (tap: string): void => {
    navigate({ tap });
  };
  return (
    <div data-compared={isComplete ? compared.length : undefined}>
      <p class="compare-summary" role="status">
        {isComplete ? (
          <>
            <b>{compared.length}</b> values compared
            {others > 0 && `, ${others} not: other shapes, or only on one side`}.{" "}
            {isSame ? (
              "All are equal."
            ) : (
              <>
                Largest relative L2: <b>{tiny(worst!.relativeL2!)}</b> at <code>{worst!.name}</code>.
              </>
            )}
          </>
        ) : (
          `${differences.length} of ${total} values`
        )}
      </p>
      <TapDots
        title="Relative L2 of each value"
        taps={differences.map(({ name, relativeL2 }) => ({ name, value: relativeL2 }))}
        selected={selected?.name ?? null}
        onSelect={choose}
      />
      <div class="actions compare-actions">
        <SaveTable
          name="comparison"
          head={["tap", "relative_l2", "cosine", "max_abs"]}
          rows={() =>
            differences.map(({ name, relativeL2, cosine, maxAbs }) => [name, relativeL2, cosine, maxAbs])
          }
        />
        <CopyButton text={compareCommand()} label="Copy command" />
      </div>
      {selected !== null && <Pair difference={selected} />}
      <div class="compare-columns">
        <DifferenceCards differences={differences} selected={selected?.name ?? null} onSelect={choose} />
        <WorstList differences={compared} selected={selected?.name ?? null} onSelect={choose} />
      </div>
    </div>
  );
}

function Pair({ difference }: { readonly difference: TapDifference }) {
  const { name, shapes, relativeL2, cosine } = difference;
  const { of } = comparing.value!;
  const both = useValues(relativeL2 === null ? null : `${of}\n${name}`, () => readBoth(name));
  const [shape] = shapes;
  return (
    <section class="pair" aria-label={`The values of ${name}`} data-pair={both === null ? undefined : name}>
      <header class="pair-head">
        <h2>
          <TapName name={name} />
        </h2>
        {relativeL2 !== null && (
          <p>
            relative L2 <b>{tiny(relativeL2)}</b> · cosine <b>{fixed(cosine ?? NaN, 6)}</b>
          </p>
        )}
      </header>
      {relativeL2 === null || shape === null ? (
        <p class="muted">{whyNot(difference)}</p>
      ) : both === null ? (
        <div class="pair-wait hatched" />
      ) : (
        <PairMaps
          name={name}
          a={layOut(matrixOf(shape, both[0]))}
          b={layOut(matrixOf(shape, both[1]))}
          titles={[sideTitle(route.value.sideA), sideTitle(route.value.sideB)]}
          unit={unitOf(shape)}
          nameOf={cellNames(shape, layOut(matrixOf(shape, both[0])))}
        />
      )}
    </section>
  );
}

function whyNot({ shapes: [a, b] }: TapDifference): string {
  if (a === null) return "Only B has this value.";
  if (b === null) return "Only A has this value.";
  if (a.join() !== b.join())
    return `Not compared: A has the shape ${shapeText(a)}, B ${shapeText(b)}. Values per token need texts of the same length.`;
  return "Not compared: the values are not finite.";
}

interface ListProps {
  readonly differences: readonly TapDifference[];
  readonly selected: string | null;
  readonly onSelect: (tap: string) => void;
}

/** Shown at first. */
const shownAtFirst = 10;

function WorstList({ differences, selected, onSelect }: ListProps) {
  const [isWhole, setWhole] = useState(false);
  const table = useRef<HTMLTableElement>(null);
  const sorted = differences.toSorted((a, b) => b.relativeL2! - a.relativeL2!);
  const shown = isWhole ? sorted : sorted.slice(0, shownAtFirst);
  return (
    <div class="worst-list">
      <table class="figures" ref={table}>
        <caption>Largest differences of whole values</caption>
        <thead>
          <tr>
            <th scope="col">value</th>
            <th scope="col">relative L2</th>
            <th scope="col">cosine</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ name, relativeL2, cosine }) => (
            <tr class={name === selected ? "current" : ""}>
              <th scope="row">
                <button
                  type="button"
                  class="link"
                  data-worst={name}
                  onClick={() => {
                    onSelect(name);
                  }}
                >
                  <TapName name={name} />
                </button>
              </th>
              <td title={`${relativeL2!}`}>{tiny(relativeL2!)}</td>
              <td title={`${cosine!}`}>{fixed(cosine!, 6)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > shownAtFirst && (
        <button
          type="button"
          class="link"
          onClick={() => {
            setWhole(!isWhole);
          }}
        >
          {isWhole ? `Show ${shownAtFirst}` : `Show all ${sorted.length}`}
        </button>
      )}
    </div>
  );
}
