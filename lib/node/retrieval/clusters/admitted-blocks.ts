/** The vectors of some rows of an index, in blocks. */
import { InputError } from "../../../errors/input-error.ts";
import type { Side } from "../../../retrieval/layout.ts";
import { rowBlocks } from "../vector-file.ts";
import type { ComputedIndex } from "../searched-index.ts";

/** Rows of a block, at most. */
const blockRows = 4096;

/** A loop, because `findIndex` takes ten times as long. */
function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) if (!(Math.abs(values[i]!) < Infinity)) return i;
  return -1;
}

/**
 * @param ids ascending, of rows that have vectors of this side
 * @throws InputError for vectors with numbers that are not finite
 */
export async function* admittedBlocks(
  index: ComputedIndex,
  ids: Float64Array,
  side: Side,
): AsyncGenerator<{ readonly ids: Float64Array; readonly values: Float32Array }, void, undefined> {
  const { width } = index;
  let next = 0;
  for (const { firstId, [side]: vectors } of index.partitions) {
    if (vectors === null) continue;
    for await (const { start, values } of rowBlocks(vectors, blockRows)) {
      const first = firstId + start;
      const from = next;
      while (next < ids.length && ids[next]! < first + values.length / width) next += 1;
      if (next === from) continue;
      const some = ids.subarray(from, next);
      const kept = new Float32Array(some.length * width);
      for (const [i, id] of some.entries()) {
        const at = (id - first) * width;
        kept.set(values.subarray(at, at + width), i * width);
      }
      const bad = firstNotFinite(kept);
      if (bad !== -1) {
        const row = some[Math.floor(bad / width)]! - firstId;
        throw new InputError(
          `${vectors.path}: row ${row} has numbers that are not finite; embed these images again`,
        );
      }
      yield { ids: some, values: kept };
    }
  }
}
