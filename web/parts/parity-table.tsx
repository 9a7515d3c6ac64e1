/** The figures of each value that was compared with a golden. */
import type { TapRow } from "../state/parity.ts";
import { fixed, tiny } from "./format.ts";
import { TapName } from "./tap-name.tsx";

interface Props {
  readonly taps: readonly TapRow[];
  readonly selected: string | null;
  readonly onSelect: (tap: string) => void;
}

export function ParityTable({ taps, selected, onSelect }: Props) {
  const hasRatio = taps.some(({ ratio }) => ratio !== undefined);
  return (
    <div class="table-box parity-table" tabIndex={0} role="region" aria-label="All values">
      <table class="figures">
        <caption>All values, in the order of the computation</caption>
        <thead>
          <tr>
            <th scope="col">value</th>
            <th scope="col">relative L2</th>
            <th scope="col">max |Δ|</th>
            <th scope="col">cosine</th>
            {hasRatio && <th scope="col">× PyTorch float32</th>}
          </tr>
        </thead>
        <tbody>
          {taps.map((tap) => (
            <Row tap={tap} isSelected={tap.name === selected} hasRatio={hasRatio} onSelect={onSelect} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  readonly tap: TapRow;
  readonly isSelected: boolean;
  readonly hasRatio: boolean;
  readonly onSelect: (tap: string) => void;
}

function Row({ tap, isSelected, hasRatio, onSelect }: RowProps) {
  const { name, relativeL2, maxAbs, cosine, passed, missing, problem, ratio } = tap;
  return (
    <tr class={`${isSelected ? "current" : ""} ${passed ? "" : "failed"}`} data-row={name}>
      <th scope="row">
        <button
          type="button"
          class="link"
          aria-pressed={isSelected}
          onClick={() => {
            onSelect(name);
          }}
        >
          {passed ? "" : "✗ "}
          <TapName name={name} />
        </button>
      </th>
      {relativeL2 === null ? (
        <td colSpan={hasRatio ? 4 : 3}>
          {problem ?? (missing === undefined ? "not finite" : `missing: ${missing}`)}
        </td>
      ) : (
        <>
          <td title={`${relativeL2}`}>{tiny(relativeL2)}</td>
          <td title={`${maxAbs!}`}>{tiny(maxAbs!)}</td>
          <td title={`${cosine!}`}>{fixed(cosine!, 8)}</td>
          {hasRatio && <td>{ratio === undefined ? "" : fixed(ratio, 2)}</td>}
        </>
      )}
    </tr>
  );
}
