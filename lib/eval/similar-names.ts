/** Names that a misspelled one may mean. */

/** Letters that differ, at most, and the share of the name that they may be. */
const mostDifferent = 3;
const share = 0.34;

/** The known names that are nearest to a name that is not one of them; none if all are very different. */
export function similarNames(name: string, known: Iterable<string>): string[] {
  const distances = [...new Set(known)].map((one): [string, number] => [one, distance(name, one)]);
  const least = Math.min(...distances.map(([, value]) => value));
  if (least > Math.min(mostDifferent, share * name.length)) return [];
  return distances.filter(([, value]) => value === least).map(([one]) => one);
}

/** Letters that are inserted, deleted or replaced, or pairs that are swapped. Source: Damerau, 1964 (optimal string alignment) */
function distance(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) row[j] = Math.min(row[j]!, before[j - 2]! + 1);
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
