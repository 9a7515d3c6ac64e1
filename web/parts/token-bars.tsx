/** One bar a token, with its piece below. */
import { max } from "d3-array";
import type { Token } from "../../lib/studio/results.ts";
import { short } from "./format.ts";

interface Props {
  readonly tokens: readonly Token[];
  /** One a token; null shows the pieces and ids. */
  readonly values: readonly number[] | null;
  readonly label: string;
}

export function TokenBars({ tokens, values, label }: Props) {
  const most = max(values ?? []) ?? 1;
  return (
    <ol class="token-bars" aria-label={label}>
      {tokens.map(({ piece, id }, i) => {
        const value = values?.[i];
        return (
          <li title={value === undefined ? `id ${id}` : `${piece}: ${short(value)}`}>
            {value !== undefined && <i style={{ height: `${Math.round((38 * value) / most)}px` }} />}
            <span class={/^<.*>$/.test(piece) ? "piece special" : "piece"}>{shownPiece(piece)}</span>
            {values === null && <span class="id">{id}</span>}
          </li>
        );
      })}
    </ol>
  );
}

/** SentencePiece marks the beginning of a word by "▁". */
function shownPiece(piece: string): string {
  return piece.replace(/^▁(?=.)/, "");
}
